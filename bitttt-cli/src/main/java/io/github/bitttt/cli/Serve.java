package io.github.bitttt.cli;

import io.github.bitttt.server.ChatServer;
import io.github.bitttt.server.ServerOptions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Many sessions on one model: a chat server, OpenAI-compatible, with a page that shows a memory change. */
@Command(name = "serve", mixinStandardHelpOptions = true, description = "Serve a model over HTTP, and a page that shows its memory.")
final class Serve implements Callable<Integer> {
    @Mixin
    private ModelOption model;
    @Mixin
    private ChatOption format;
    @Mixin
    private AdaptOption adapt;
    @Mixin
    private WindowOption window;
    @Mixin
    private Program program;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Address to listen at (default: ${DEFAULT-VALUE}, this machine only). There is no password.")
    private String host;
    @Option(names = "--port", defaultValue = "8080", description = "0 for any free one (default: ${DEFAULT-VALUE}).")
    private int port;
    @Option(names = "--streams", defaultValue = "64", description = "Answers at once (default: ${DEFAULT-VALUE}).")
    private int streams;
    @Option(names = "--sessions", defaultValue = "64", description = "Named sessions that are kept (default: ${DEFAULT-VALUE}).")
    private int sessions;
    @Option(names = "--body-bytes", defaultValue = "1048576", description = "Largest request (default: ${DEFAULT-VALUE}).")
    private int bodyBytes;
    @Option(names = "--max-tokens", defaultValue = "4096", description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int maxTokens;
    @Option(names = "--timeout", defaultValue = "60", paramLabel = "SECONDS", description = "Of a request and of an answer (default: ${DEFAULT-VALUE}).")
    private int timeout;

    @Override
    public Integer call() throws Exception {
        format.check();
        adapt.check();
        ServerOptions options = new ServerOptions(host, port, streams, sessions, bodyBytes, maxTokens,
                Duration.ofSeconds(timeout));
        ChatServer server = ChatServer.start(model.name(), adapt.of(window.of(format.of(model.load()))), options,
                InstantSource.system());
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.close();
            closed.countDown();
        }, "bitttt-shutdown"));
        program.messages().println(model.name() + " at " + server.address() + " and " + server.address()
                + "v1/chat/completions; Ctrl-C ends it");
        program.result(Map.of("address", server.address().toString(), "model", model.name()));
        closed.await();
        return 0;
    }
}
