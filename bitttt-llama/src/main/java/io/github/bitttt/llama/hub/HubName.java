package io.github.bitttt.llama.hub;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a model on the hub: {@code ORG/NAME}, {@code ORG/NAME@REVISION}, {@code ORG/NAME:FILE.gguf}, or
 * {@code ORG/NAME@REVISION:FILE.gguf}.
 *
 * @param id       {@code ORG/NAME}
 * @param revision a branch, a tag or a commit
 * @param file     a file that is a whole model, or a part of its name that no other has, as {@code TQ2_0}
 */
public record HubName(String id, String revision, Optional<String> file) {
    /** The branch that is meant where none is named. */
    public static final String MAIN = "main";

    private static final int MAX_PART = 255;
    private static final String WORD = "[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?";
    private static final Pattern ID = Pattern.compile(WORD + "/" + WORD);
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,200}");
    private static final Pattern WHOLE = Pattern.compile("([^@:]+)(?:@([^:]+))?(?::(.+))?");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /** Checks that none of the parts can lead out of a folder.
     *
     * @throws IllegalArgumentException if one is no name of its kind */
    public HubName {
        if (!isId(id)) {
            throw new IllegalArgumentException(
                    "the name of a model on the hub is ORG/NAME, of letters, digits, '.', '-' and '_', got "
                            + id);
        }
        if (!REVISION.matcher(revision).matches() || !isSafe(revision)) {
            throw new IllegalArgumentException("a revision is a branch, a tag or a commit, as main, got " + revision);
        }
        if (file.isPresent() && !isSafe(file.get())) {
            throw new IllegalArgumentException("a file of a model is named within its folder, got " + file.get());
        }
    }

    private static boolean isId(String id) {
        return ID.matcher(id).matches() && !id.contains("--") && !id.contains("..");
    }

    /** Reads a name as users write it.
     *
     * @param name any text
     * @return its parts, or nothing if it is not of this form */
    public static Optional<HubName> parse(String name) {
        Matcher whole = WHOLE.matcher(name);
        if (!whole.matches() || !isId(whole.group(1))) {
            return Optional.empty();
        }
        return Optional.of(new HubName(whole.group(1), Optional.ofNullable(whole.group(2)).orElse(MAIN),
                Optional.ofNullable(whole.group(3))));
    }

    /** Whether a relative path, written with {@code /}, stays within its folder and is a name on every system. */
    static boolean isSafe(String path) {
        return !leadsOut(path) && path.chars().noneMatch(c -> ":*?\"<>|".indexOf(c) >= 0)
                && Arrays.stream(path.split("/")).allMatch(part -> part.length() <= MAX_PART);
    }

    /** Whether a path may lead out of its folder on some system, or is no path. */
    static boolean leadsOut(String path) {
        return path.chars().anyMatch(c -> c < ' ' || c == 127 || c == '\\')
                || Arrays.stream(path.split("/", -1))
                        .anyMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
    }

    /** Whether a text is the hash of a commit. */
    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /** The folder of the model in a cache. */
    String folder() {
        return "models--" + id.replace("/", "--");
    }

    @Override
    public String toString() {
        return id + (revision.equals(MAIN) ? "" : "@" + revision) + file.map(name -> ":" + name).orElse("");
    }
}
