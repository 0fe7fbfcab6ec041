package io.github.bitttt.cli;

import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.Generation;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.generate.Token;
import io.github.bitttt.llama.text.TextFile;
import java.io.Console;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A conversation in the terminal: a line is a message, and its answer comes piece by piece. */
@Command(name = "chat", mixinStandardHelpOptions = true, description = "Talk with a model; a line is a message. Ctrl-C ends an answer.")
final class Chat implements Callable<Integer> {
    private static final String HELP = """
            /forget     begin anew
            /save FILE  save what was said and learned
            /load FILE  go on from what was saved
            /memory     how much was read and learned
            /quit       end, as the end of the input does
            //TEXT      a message that begins with a slash""";

    @Mixin
    private ModelOption model;
    @Mixin
    private ChatOption format;
    @Mixin
    private AdaptOption adapt;
    @Mixin
    private WindowOption window;
    @Mixin
    private WritingOptions writing;
    @Mixin
    private Program program;

    @Option(names = "--system", paramLabel = "TEXT", preprocessor = AttachedText.class, description = "Rules that stand before the first message.")
    private String system = "";

    private Session session;
    private GenerationOptions options;
    private volatile Optional<Generation> answer = Optional.empty(); // that is being written
    private final List<ChatMessage> said = new ArrayList<>();
    private boolean fresh = true; // nothing was said or loaded yet
    private int answers;

    @Override
    public Integer call() throws Exception {
        writing.check();
        adapt.check();
        format.check();
        try (Model loaded = model.load(); Session opened = adapt.of(window.of(format.of(loaded))).newSession()) {
            session = opened;
            options = writing.of(loaded.defaults());
            String name = session.model().chat().template().toString();
            program.messages().println(model.name() + ", chat format " + name + "; /help tells more");
            try (Interrupts _ = Interrupts.handle(this::interrupt)) {
                talk(TextFile.Lines.of(System.in, "standard input"));
            }
            program.result(Map.of("messages", said, "position", session.position(), "chat_format", name));
        }
        return 0;
    }

    /** Ends the answer that is being written, or the program. */
    private void interrupt() {
        answer.ifPresentOrElse(Generation::cancel, () -> Runtime.getRuntime().exit(130));
    }

    private void talk(TextFile.Lines lines) throws IOException {
        String line;
        while ((line = next(lines)) != null && !line.strip().equals("/quit")) {
            try {
                if (line.startsWith("/") && !line.startsWith("//")) {
                    command(line.strip());
                } else if (!line.isBlank()) {
                    answer(line.startsWith("//") ? line.substring(1) : line);
                }
            } catch (IllegalArgumentException | IOException e) {
                if (e instanceof LostOutputException) {
                    throw e;
                }
                program.messages().println(Failures.message(e).orElseThrow());
            }
        }
    }

    private String next(TextFile.Lines lines) throws IOException {
        Console console = System.console();
        if (console != null && console.isTerminal()) {
            program.say("> ");
            program.messages().flush();
        }
        return lines.next();
    }

    private void answer(String message) throws IOException {
        List<ChatMessage> messages = new ArrayList<>();
        if (!system.isEmpty() && fresh) {
            messages.add(ChatMessage.system(system));
        }
        messages.add(ChatMessage.user(message));
        // Another seed for each answer: the same question may be answered otherwise.
        GenerationOptions now = options.withSeed(options.sampling().seed() + answers++);
        Generation generation = session.chat(messages, now, Sampler.of(now.sampling()), () -> false);
        fresh = false;
        answer = Optional.of(generation);
        StringBuilder text = new StringBuilder();
        try {
            for (Token token : generation) {
                text.append(token.text());
                program.say(token.text());
            }
        } finally {
            answer = Optional.empty();
        }
        program.messages().println(generation.finish().orElseThrow() == Generation.Finish.LIMIT ? " ..." : "");
        program.checkRead();
        said.addAll(messages);
        said.add(ChatMessage.assistant(text.toString()));
    }

    private void command(String line) throws IOException {
        String[] words = line.split("\\s+", 2);
        switch (words[0]) {
            case "/forget" -> {
                session.reset();
                session.resetOutput();
                fresh = true;
                said.clear();
                program.messages().println("forgotten");
            }
            case "/save" -> {
                session.saveMemory(file(words));
                program.messages().println(words[1] + ": saved");
            }
            case "/load" -> {
                session.loadMemory(file(words));
                fresh = false;
                said.clear();
                program.messages().println(words[1] + ": loaded");
            }
            case "/memory" -> program.messages().println(session);
            case "/help" -> program.messages().println(HELP);
            default -> throw new IllegalArgumentException("there is no " + words[0] + "; /help tells what there is");
        }
    }

    private static Path file(String[] words) {
        if (words.length < 2) {
            throw new IllegalArgumentException(words[0] + " takes a file, got none");
        }
        return Path.of(words[1]);
    }
}
