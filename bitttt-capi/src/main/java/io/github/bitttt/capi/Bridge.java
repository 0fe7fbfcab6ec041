package io.github.bitttt.capi;

import io.github.bitttt.llama.text.FileFailure;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.tensor.KernelChoice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.SplittableRandom;

/**
 * What {@code libbitttt} calls: one method for each function of {@code bitttt.h}, which says what they do.
 *
 * <p>Each returns an error code and lets nothing be thrown; its first argument is where the text of an error goes. Other
 * {@code long} arguments are handles, addresses and counts. {@code java.c} holds the same list of names and signatures.
 */
public final class Bridge {
    /** Room for a message, in bytes: {@code ERROR_BYTES} of java.h. */
    private static final int ERROR_BYTES = 2048;
    // Reasons behind it, as errno.h of every system numbers them: ENOENT, EACCES, EEXIST, ENOTDIR.
    private static final int NO_SUCH_FILE = 2;
    private static final int ACCESS_DENIED = 13;
    private static final int EXISTS = 17;
    private static final int NO_FOLDER = 20;

    private static final Handles HANDLES = new Handles();
    private static final Handles.Kind<LoadedModel> MODEL = new Handles.Kind<>("a model", LoadedModel.class);
    private static final Handles.Kind<OpenSession> SESSION = new Handles.Kind<>("a session", OpenSession.class);
    private static final Handles.Kind<OpenGeneration> GENERATION = new Handles.Kind<>("a generation",
            OpenGeneration.class);
    private static final Handles.Kind<OriginalLayer> LAYER = new Handles.Kind<>("a layer", OriginalLayer.class);

    private Bridge() {
    }

    @FunctionalInterface
    private interface Work {
        void run() throws Exception;
    }

    private static int guard(long error, Work work) {
        try {
            work.run();
            return ErrorCode.OK.number();
        } catch (CallException e) {
            return failed(error, e.code(), e.getMessage(), 0);
        } catch (IllegalArgumentException e) {
            return failed(error, ErrorCode.ARGUMENT, e.getMessage(), 0);
        } catch (IllegalStateException e) {
            return failed(error, ErrorCode.STATE, e.getMessage(), 0);
        } catch (IOException e) {
            return failed(error, e);
        } catch (UncheckedIOException e) {
            return failed(error, e.getCause());
        } catch (LinkageError e) {
            // A class that cannot start says why in its cause, such as an unknown name in -Dbitttt.kernels.
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return failed(error, ErrorCode.INTERNAL, cause.getMessage() == null ? e.toString() : cause.getMessage(), 0);
        } catch (Throwable e) {
            // Nothing may pass into foreign frames.
            return failed(error, ErrorCode.INTERNAL, e.toString(), 0);
        }
    }

    private static int failed(long error, IOException e) {
        int reason = switch (e) {
            case NoSuchFileException _ -> NO_SUCH_FILE;
            case AccessDeniedException _ -> ACCESS_DENIED;
            case FileAlreadyExistsException _ -> EXISTS;
            case NotDirectoryException _ -> NO_FOLDER;
            default -> 0;
        };
        return failed(error, ErrorCode.FILE, FileFailure.message(e), reason);
    }

    private static int failed(long error, ErrorCode code, String message, int reason) {
        ForeignMemory.writeMessage(String.valueOf(message), error, ERROR_BYTES);
        ForeignMemory.writeInt(error + ERROR_BYTES, reason);
        return code.number();
    }

    /** Called once, when Java has started.
     *
     * @param error for a message
     * @param owner whether this Java was started by the library
     * @return an error code */
    public static int start(long error, boolean owner) {
        return guard(error, () -> {
            if (owner) {
                // Standard output belongs to the program.
                System.setOut(System.err);
            }
        });
    }

    /** Ends every handle.
     *
     * @param error for a message
     * @return an error code */
    public static int shutdown(long error) {
        return guard(error, () -> {
            HANDLES.clear();
            System.gc();
        });
    }

    /** The versions of library and Java.
     *
     * @param error    for a message
     * @param buffer   for the text
     * @param capacity of it
     * @param length   receives that of the text
     * @return an error code */
    public static int version(long error, long buffer, long capacity, long length) {
        return guard(error, () -> writeText(
                "bitttt " + Bridge.class.getPackage().getImplementationVersion() + ", Java " + Runtime.version(),
                buffer, capacity, length));
    }

    /** The kernels that run, and why.
     *
     * @param error    for a message
     * @param buffer   for the text
     * @param capacity of it
     * @param length   receives that of the text
     * @return an error code */
    public static int kernels(long error, long buffer, long capacity, long length) {
        return guard(error, () -> writeText(KernelChoice.current().toString(), buffer, capacity, length));
    }

    private static void writeText(String text, long buffer, long capacity, long length) {
        ForeignMemory.writeText(text.getBytes(StandardCharsets.UTF_8), buffer, capacity, length);
    }

    /** Copies floats.
     *
     * @param error for a message
     * @param input  floats
     * @param output floats
     * @param count  of each
     * @return an error code */
    public static int echo(long error, long input, long output, long count) {
        return guard(error, () -> ForeignMemory.copy(input, output, ForeignMemory.count("floats", count)));
    }

    /** Loads a model.
     *
     * @param error for a message
     * @param name  UTF-8
     * @param bytes of it
     * @param model receives the handle
     * @return an error code */
    public static int modelLoad(long error, long name, long bytes, long model) {
        return guard(error, () -> ForeignMemory.writeLong(model,
                HANDLES.add(MODEL, LoadedModel.load(ForeignMemory.text(name, bytes)))));
    }

    /** Ends a model's handle.
     *
     * @param error for a message
     * @param model handle
     * @return an error code */
    public static int modelFree(long error, long model) {
        return guard(error, () -> HANDLES.remove(MODEL, model));
    }

    /** Says what a model is.
     *
     * @param error    for a message
     * @param model    handle
     * @param buffer   for the text
     * @param capacity of it
     * @param length   receives that of the text
     * @return an error code */
    public static int modelDescribe(long error, long model, long buffer, long capacity, long length) {
        return guard(error, () -> writeText(HANDLES.get(MODEL, model).description(), buffer, capacity, length));
    }

    /** Tells V.
     *
     * @param error for a message
     * @param model handle
     * @param size  receives it
     * @return an error code */
    public static int modelVocabulary(long error, long model, long size) {
        return guard(error, () -> ForeignMemory.writeLong(size, HANDLES.get(MODEL, model).vocabulary()));
    }

    private static Tokenizer tokenizer(long model) {
        return HANDLES.get(MODEL, model).model().tokenizer();
    }

    /** Turns text into token ids.
     *
     * @param error    for a message
     * @param model    handle
     * @param text     UTF-8
     * @param bytes    of it
     * @param ids      buffer
     * @param capacity of it
     * @param count    receives the number of ids
     * @return an error code */
    public static int encode(long error, long model, long text, long bytes, long ids, long capacity, long count) {
        return guard(error, () -> ForeignMemory.writeIds(tokenizer(model).encode(ForeignMemory.text(text, bytes)), ids,
                capacity, count));
    }

    /** Turns token ids into text.
     *
     * @param error    for a message
     * @param model    handle
     * @param ids      tokens
     * @param count    of them
     * @param buffer   for the text
     * @param capacity of it
     * @param length   receives that of the text
     * @return an error code */
    public static int decode(long error, long model, long ids, long count, long buffer, long capacity, long length) {
        return guard(error,
                () -> writeText(tokenizer(model).decode(ForeignMemory.ids(ids, count)), buffer, capacity, length));
    }

    /** Opens a session.
     *
     * @param error   for a message
     * @param model   handle
     * @param session receives its handle
     * @return an error code */
    public static int sessionNew(long error, long model, long session) {
        return guard(error, () -> ForeignMemory.writeLong(session,
                HANDLES.add(SESSION, new OpenSession(HANDLES.get(MODEL, model).model().newSession()))));
    }

    /** Opens a session as options say.
     *
     * @param error   for a message
     * @param model   handle
     * @param options a JSON object, or 0 for none
     * @param length  bytes of it
     * @param session receives its handle
     * @return an error code */
    public static int sessionOpen(long error, long model, long options, long length, long session) {
        return guard(error, () -> ForeignMemory.writeLong(session, HANDLES.add(SESSION, new OpenSession(SessionForm
                .open(HANDLES.get(MODEL, model).model(), options == 0 ? "{}" : ForeignMemory.text(options, length))))));
    }

    /** Empties the memory at the output alone.
     *
     * @param error   for a message
     * @param session handle
     * @return an error code */
    public static int sessionResetOutput(long error, long session) {
        return guard(error, () -> HANDLES.get(SESSION, session).use(open -> {
            open.resetOutput();
            return null;
        }));
    }

    /** Copies a session with its memory.
     *
     * @param error   for a message
     * @param session handle
     * @param copy    receives that of the copy
     * @return an error code */
    public static int sessionFork(long error, long session, long copy) {
        return guard(error, () -> ForeignMemory.writeLong(copy, HANDLES.add(SESSION,
                HANDLES.get(SESSION, session).use(open -> new OpenSession(open.fork())))));
    }

    /** Empties a memory.
     *
     * @param error   for a message
     * @param session handle
     * @return an error code */
    public static int sessionReset(long error, long session) {
        return guard(error, () -> HANDLES.get(SESSION, session).use(open -> {
            open.reset();
            return null;
        }));
    }

    /** Ends a session's handle; a call that goes on with it now ends as if nothing had happened.
     *
     * @param error   for a message
     * @param session handle
     * @return an error code */
    public static int sessionFree(long error, long session) {
        return guard(error, () -> HANDLES.remove(SESSION, session));
    }

    /** Saves a memory.
     *
     * @param error   for a message
     * @param session handle
     * @param file    UTF-8
     * @param bytes   of it
     * @return an error code */
    public static int sessionSave(long error, long session, long file, long bytes) {
        return guard(error, () -> HANDLES.get(SESSION, session).use(open -> {
            open.saveMemory(Path.of(ForeignMemory.text(file, bytes)));
            return null;
        }));
    }

    /** Loads a memory.
     *
     * @param error   for a message
     * @param session handle
     * @param file    UTF-8
     * @param bytes   of it
     * @return an error code */
    public static int sessionLoad(long error, long session, long file, long bytes) {
        return guard(error, () -> HANDLES.get(SESSION, session).use(open -> {
            open.loadMemory(Path.of(ForeignMemory.text(file, bytes)));
            return null;
        }));
    }

    /** Says how much a session has read and learned.
     *
     * @param error    for a message
     * @param session  handle
     * @param buffer   for the text
     * @param capacity of it
     * @param length   receives that of the text
     * @return an error code */
    public static int sessionDescribe(long error, long session, long buffer, long capacity, long length) {
        return guard(error, () -> writeText(HANDLES.get(SESSION, session).use(OpenSession::description), buffer,
                capacity, length));
    }

    /** Reads tokens.
     *
     * @param error    for a message
     * @param session  handle
     * @param ids      tokens
     * @param count    of them
     * @param logits   buffer, or 0 for none
     * @param capacity of it
     * @return an error code */
    public static int sessionFeed(long error, long session, long ids, long count, long logits, long capacity) {
        return guard(error, () -> HANDLES.get(SESSION, session).use(open -> {
            int vocabulary = open.model().architecture().config().vocabSize();
            if (logits != 0 && capacity >= 0 && capacity < vocabulary) {
                throw new CallException(ErrorCode.BUFFER,
                        "the buffer must hold " + vocabulary + " logits, got room for " + capacity);
            }
            float[] next = open.feed(ForeignMemory.ids(ids, count));
            if (logits != 0) {
                ForeignMemory.write(logits, 0, next, vocabulary);
            }
            return null;
        }));
    }

    /** Reads a text.
     *
     * @param error   for a message
     * @param session handle
     * @param text    UTF-8
     * @param bytes   of it
     * @param tokens  receives how many there were
     * @return an error code */
    public static int sessionLearn(long error, long session, long text, long bytes, long tokens) {
        return guard(error, () -> ForeignMemory.writeLong(tokens,
                HANDLES.get(SESSION, session).learn(ForeignMemory.text(text, bytes))));
    }

    /** Ends what a session is doing.
     *
     * @param error   for a message
     * @param session handle
     * @return an error code */
    public static int sessionCancel(long error, long session) {
        return guard(error, () -> HANDLES.get(SESSION, session).cancel());
    }

    /** Begins a text.
     *
     * @param error       for a message
     * @param session     handle
     * @param prompt      UTF-8
     * @param bytes       of it
     * @param options     a JSON object, or 0 for the model's defaults
     * @param length      bytes of it
     * @param generation  receives the handle
     * @return an error code */
    public static int generationNew(long error, long session, long prompt, long bytes, long options, long length,
            long generation) {
        return guard(error, () -> ForeignMemory.writeLong(generation, HANDLES.add(GENERATION, new OpenGeneration(
                HANDLES.get(SESSION, session), ForeignMemory.text(prompt, bytes),
                options == 0 ? "{}" : ForeignMemory.text(options, length)))));
    }

    /** Writes the next piece.
     *
     * @param error      for a message
     * @param generation handle
     * @param buffer     for the text
     * @param capacity   of it
     * @param length     receives that of the text
     * @param end        receives how the text ended, or 0
     * @return an error code */
    public static int generationNext(long error, long generation, long buffer, long capacity, long length, long end) {
        return guard(error, () -> HANDLES.get(GENERATION, generation).next(buffer, capacity, length, end));
    }

    /** Ends a generation's handle.
     *
     * @param error      for a message
     * @param generation handle
     * @return an error code */
    public static int generationFree(long error, long generation) {
        return guard(error, () -> HANDLES.remove(GENERATION, generation));
    }

    /** Makes a layer of the original engine.
     *
     * @param error  for a message
     * @param width  D
     * @param rate   of its memory
     * @param seeded whether the seed counts
     * @param seed   of the weights
     * @param layer  receives the handle
     * @return an error code */
    public static int layerNew(long error, long width, float rate, boolean seeded, long seed, long layer) {
        return guard(error, () -> ForeignMemory.writeLong(layer, HANDLES.add(LAYER, new OriginalLayer(width, rate,
                new SplittableRandom(seeded ? seed : new SecureRandom().nextLong())))));
    }

    /** Reads rows with an empty memory.
     *
     * @param error  for a message
     * @param layer  handle
     * @param input  floats
     * @param tokens rows
     * @param output floats
     * @return an error code */
    public static int layerForward(long error, long layer, long input, long tokens, long output) {
        return guard(error, () -> HANDLES.get(LAYER, layer).forward(input, tokens, output));
    }

    /** Ends a layer's handle.
     *
     * @param error for a message
     * @param layer handle
     * @return an error code */
    public static int layerFree(long error, long layer) {
        return guard(error, () -> HANDLES.remove(LAYER, layer));
    }
}
