package io.github.bitttt.llama.text;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/**
 * What is said of a file that could not be used: which file, and why. The JDK's own exceptions often have the file alone as their
 * message.
 */
public final class FileFailure {
    private FileFailure() {
    }

    /** The message of a failure, as a user reads it.
     *
     * @param failure of reading or writing
     * @return {@code FILE: no such file}, {@code FILE: access denied} and the like; the exception's own message where it says why */
    public static String message(IOException failure) {
        if (failure instanceof FileSystemException of && of.getReason() == null && of.getFile() != null) {
            return of.getFile() + ": " + reason(of);
        }
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }

    /** Why a file could not be used, without its name.
     *
     * @param failure of it
     * @return its own reason, or what its type says */
    public static String reason(FileSystemException failure) {
        if (failure.getReason() != null) {
            return failure.getReason();
        }
        return switch (failure) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "access denied";
            case FileAlreadyExistsException _ -> "exists already";
            case NotDirectoryException _ -> "is no folder";
            case DirectoryNotEmptyException _ -> "is a folder that is not empty";
            default -> failure.getClass().getSimpleName();
        };
    }
}
