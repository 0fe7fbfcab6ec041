package io.github.bitttt.llama.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FileFailureTest {
    static Stream<Arguments> failures() {
        return Stream.of(Arguments.of(new NoSuchFileException("a.txt"), "a.txt: no such file"),
                Arguments.of(new AccessDeniedException("a.txt"), "a.txt: access denied"),
                Arguments.of(new FileAlreadyExistsException("a.txt"), "a.txt: exists already"),
                Arguments.of(new NotDirectoryException("a.txt"), "a.txt: is no folder"),
                Arguments.of(new DirectoryNotEmptyException("a"), "a: is a folder that is not empty"),
                Arguments.of(new NoSuchFileException("a.txt", null, "its folder is not there"),
                        "a.txt: its folder is not there"),
                Arguments.of(new FileSystemException("a.txt", null, "No space left on device"),
                        "a.txt: No space left on device"),
                Arguments.of(new IOException("a.txt: is a folder"), "a.txt: is a folder"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void saysWhichFileAndWhy(IOException failure, String message) {
        assertThat(FileFailure.message(failure)).isEqualTo(message);
    }

    @Test
    void aFailureWithoutWordsIsNamedByItsType() {
        assertThat(FileFailure.message(new IOException())).isEqualTo("java.io.IOException");
    }
}
