package io.github.bitttt.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model behind OpenAI's HTTP interface, and a page.
 *
 * <pre>
 * GET    /                      the page
 * GET    /v1/models             the one model, with the sizes of its memory
 * GET    /v1/models/NAME        the same, without the list
 * POST   /v1/completions        goes on with a prompt
 * POST   /v1/chat/completions   answers messages, as the model's chat format writes them
 * DELETE /v1/sessions/NAME      forgets a named session
 * GET    /health                what is running
 * </pre>
 *
 * <p>HEAD is served as GET is, OPTIONS tells the methods of a path. A field of a request that would change the answer and is not
 * served is refused by name.
 *
 * <p>Beyond OpenAI's fields a request may have {@code "bitttt": {"session": NAME, "watch": LAYER}}: a session keeps its memory
 * from one request to the next and is sent what is new, and a watched stream has each token's surprise and the layer's W; {@code top_k},
 * {@code repetition_penalty} and {@code sequence_penalty} are taken as well. What a request does not name is as the model's defaults
 * say, and its seed is a new one. Memory is bounded by the
 * numbers of {@link ServerOptions}. For any thread; close it.
 */
public final class ChatServer implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ChatServer.class);
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final String MODEL = "/v1/models/";
    private static final String SESSION = "/v1/sessions/";

    private final String name;
    private final Model model;
    private final ServerOptions options;
    private final InstantSource clock;
    private final SessionStore sessions;
    private final Semaphore streams;
    private final AtomicLong numbers = new AtomicLong();
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer server;
    private final Connections connections;
    private volatile boolean closing;

    private ChatServer(String name, Model model, ServerOptions options, InstantSource clock) throws IOException {
        this.name = name;
        this.model = model;
        this.options = options;
        this.clock = clock;
        sessions = new SessionStore(model, options.sessions());
        streams = new Semaphore(options.streams());
        server = options.listen();
        connections = new Connections(server.getAddress().getPort());
        server.setExecutor(executor);
        server.createContext("/", this::handle);
    }

    /** Starts a server.
     *
     * @param name    of the model, for clients
     * @param model   that answers; it needs a tokenizer
     * @param options its limits
     * @param clock   for the time that answers bear
     * @return running
     * @throws IOException if it cannot listen there */
    public static ChatServer start(String name, Model model, ServerOptions options, InstantSource clock)
            throws IOException {
        model.tokenizer();
        configure(options);
        ChatServer chat = new ChatServer(name, model, options, clock);
        chat.server.start();
        return chat;
    }

    /** The JDK's server takes these as properties of the process, read when the first one is made. */
    private static void configure(ServerOptions options) {
        long seconds = options.timeout().toSeconds();
        property("sun.net.httpserver.maxReqTime", seconds);
        // An answer may take the timeout; a client that has stopped reading is cut off after that.
        property("sun.net.httpserver.maxRspTime", seconds + 10);
        property("jdk.httpserver.maxConnections", Math.min(4L * options.streams(), Integer.MAX_VALUE));
        // Read past a body that is too long, so that the client sees why it was refused.
        property("sun.net.httpserver.drainAmount", 8L << 20);
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private static void property(String key, long value) {
        if (System.getProperty(key) == null) {
            System.setProperty(key, String.valueOf(value));
        }
    }

    /** Where it listens.
     *  @return the page's address */
    public URI address() {
        InetSocketAddress bound = server.getAddress();
        return URI.create("http://" + shown(bound.getAddress()) + ":" + bound.getPort() + "/");
    }

    /** A host that a browser takes: every address of this machine is shown as one of them. */
    private static String shown(InetAddress address) {
        if (address.isAnyLocalAddress()) {
            return "localhost";
        }
        String host = address.getHostAddress();
        return !host.contains(":") ? host : address.isLoopbackAddress() ? "[::1]" : "[" + host + "]";
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            try {
                route(exchange);
            } catch (ApiException e) {
                if (e.status() == 429) {
                    exchange.getResponseHeaders().set("Retry-After", "1");
                }
                Json.send(exchange, e.status(), e.json());
            } catch (OutOfMemoryError e) {
                sessions.dropUnnamed();
                Json.send(exchange, 503, outOfMemory().json());
            } catch (RuntimeException e) {
                LOGGER.error("{} {}: a fault of the server", Fields.shown(exchange.getRequestMethod()),
                        Fields.shown(exchange.getRequestURI()), e);
                Json.send(exchange, 500, ApiException.busy(500, "internal_error", "a fault of the server").json());
            }
        } catch (IOException e) {
            LOGGER.debug("the client is gone: {}", e.toString());
        }
    }

    /** Sessions are what a server's memory goes to; one that began this answer is dropped by now. */
    private ApiException outOfMemory() {
        return ApiException.busy(503, "out_of_memory", "the server is out of memory with " + sessions.size()
                + " sessions of " + model.memoryBytes() + " bytes; forget some, or start it with more memory");
    }

    private void route(HttpExchange exchange) throws ApiException, IOException {
        String path = exchange.getRequestURI().getPath();
        String allowed = allowed(path);
        if (method(exchange, allowed)) {
            return;
        }
        switch (path) {
            case "/" -> {
                try (InputStream page = ChatServer.class.getResourceAsStream("page.html")) {
                    Json.send(exchange, 200, "text/html; charset=utf-8", page.readAllBytes());
                }
            }
            case "/health" -> Json.send(exchange, 200, JsonNodeFactory.instance.objectNode().put("status", "ok")
                    .put("streams", options.streams() - streams.availablePermits())
                    .put("sessions", sessions.size()));
            case "/v1/models" -> Json.send(exchange, 200, models());
            case "/v1/completions" -> complete(exchange, false);
            case "/v1/chat/completions" -> complete(exchange, true);
            default -> {
                if (path.startsWith(MODEL)) {
                    Json.send(exchange, 200, described(path.substring(MODEL.length())));
                } else {
                    forget(exchange, path.substring(SESSION.length()));
                }
            }
        }
    }

    /** The methods that a path takes.
     *  @throws ApiException if there is no such path */
    private static String allowed(String path) throws ApiException {
        return switch (path) {
            case "/", "/health", "/v1/models" -> "GET, HEAD, OPTIONS";
            case "/v1/completions", "/v1/chat/completions" -> "POST, OPTIONS";
            default -> {
                if (path.startsWith(MODEL)) {
                    yield "GET, HEAD, OPTIONS";
                }
                if (path.startsWith(SESSION)) {
                    yield "DELETE, OPTIONS";
                }
                throw ApiException.refused(404, "not_found", "no such path: " + Fields.shown(path)
                        + "; there are /v1/models, /v1/completions and /v1/chat/completions");
            }
        };
    }

    /** Refuses a method that is not allowed, and answers OPTIONS.
     *  @return whether the request is answered */
    private static boolean method(HttpExchange exchange, String allowed) throws ApiException, IOException {
        String method = exchange.getRequestMethod();
        boolean options = method.equals("OPTIONS");
        if (!options && List.of(allowed.split(", ")).contains(method)) {
            return false;
        }
        exchange.getResponseHeaders().set("Allow", allowed);
        if (!options) {
            throw ApiException.refused(405, "method_not_allowed",
                    Fields.shown(exchange.getRequestURI().getPath()) + " takes " + allowed + ", got "
                            + Fields.shown(method));
        }
        exchange.sendResponseHeaders(204, -1);
        return true;
    }

    private ObjectNode models() throws ApiException {
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        list.putArray("data").add(described(name));
        return list;
    }

    private ObjectNode described(String asked) throws ApiException {
        checkModel(asked);
        BitLlamaConfig config = model.architecture().config();
        ObjectNode entry = JsonNodeFactory.instance.objectNode().put("id", name).put("object", "model")
                .put("created", 0).put("owned_by", "bitttt");
        ObjectNode own = entry.putObject("bitttt").put("layers", config.layers());
        config.ttt().ifPresent(form -> own.put("heads", form.heads()).put("memory", form.memorySize())
                .put("columns", form.memorySize() / form.heads()));
        config.gatedDelta().ifPresent(form -> own.put("heads", form.heads())
                .put("memory", form.heads() * form.valueWidth()).put("columns", form.keyWidth()));
        own.put("chat_format", model.chatTemplate().map(Object::toString).orElse(null));
        config.contextLimit().ifPresent(limit -> own.put("context", limit));
        own.put("vocabulary", config.vocabSize()).put("temperature", model.defaults().sampling().temperature())
                .put("parameters", model.architecture().parameters());
        return entry;
    }

    private void checkModel(String asked) throws ApiException {
        if (!asked.equals(name)) {
            throw new ApiException(404, "invalid_request_error", "model", "model_not_found",
                    "the model " + Fields.shown(asked) + " is not here; this server has " + name);
        }
    }

    private void checkChats() throws ApiException {
        try {
            model.chat();
        } catch (IllegalStateException e) {
            throw new ApiException(400, "invalid_request_error", "messages", "no_chat_format",
                    e.getMessage() + "; /v1/completions takes plain prompts");
        }
    }

    private void forget(HttpExchange exchange, String session) throws ApiException, IOException {
        if (!sessions.forget(session)) {
            throw ApiException.refused(404, "session_not_found", "no session of the name " + Fields.shown(session));
        }
        Json.send(exchange, 200, JsonNodeFactory.instance.objectNode().put("id", session).put("deleted", true));
    }

    private void complete(HttpExchange exchange, boolean chat) throws ApiException, IOException {
        CompletionRequest request = CompletionRequest.parse(Json.read(exchange, options.bodyBytes()), chat,
                options.maxTokens(), model.defaults().withSeed(ThreadLocalRandom.current().nextLong()));
        checkModel(request.model());
        if (chat) {
            checkChats();
        }
        int layers = model.architecture().config().layers();
        if (request.watch().isPresent() && request.watch().getAsInt() >= layers) {
            throw ApiException.invalid("bitttt.watch",
                    "bitttt.watch must be a layer from 0 to " + (layers - 1) + ", got " + request.watch().getAsInt());
        }
        if (!streams.tryAcquire()) {
            throw ApiException.busy(429, "rate_limit_exceeded",
                    "all " + options.streams() + " streams are in use; try again later");
        }
        try {
            answer(exchange, request, chat);
        } finally {
            streams.release();
        }
    }

    private void answer(HttpExchange exchange, CompletionRequest request, boolean chat)
            throws ApiException, IOException {
        long deadline = System.nanoTime() + options.timeout().toNanos();
        BooleanSupplier gone = connections.gone(exchange.getRemoteAddress());
        Completions completions = new Completions(exchange, request, chat, numbers.incrementAndGet(), clock,
                model.fingerprint());
        Optional<String> name = request.session();
        int[] text = name.isEmpty() ? completions.text(model) : new int[0];
        Session session = name.isEmpty() ? sessions.lend(text) : sessions.lend(name.get());
        boolean sound = false;
        try {
            completions.answer(session, text, () -> check(deadline, gone));
            sound = true;
        } catch (ApiException | IOException e) {
            sound = true;
            throw e;
        } finally {
            if (name.isEmpty()) {
                sessions.giveBack(session, sound);
            } else if (sound) {
                sessions.giveBack(name.get());
            } else {
                sessions.drop(name.get());
            }
        }
    }

    private void check(long deadline, BooleanSupplier gone) throws ApiException {
        if (closing) {
            throw ApiException.busy(503, "server_closing", "the server is closing");
        }
        if (System.nanoTime() - deadline > 0) {
            throw ApiException.busy(504, "timeout",
                    "the answer took longer than " + options.timeout().toSeconds() + " s");
        }
        if (gone.getAsBoolean()) {
            // Nobody will read this; the status is what other servers note in their logs.
            throw ApiException.refused(499, "client_gone", "the client has closed its connection");
        }
    }

    /** Ends running answers with an error that says so, and stops listening. */
    @Override
    public void close() {
        closing = true;
        server.stop((int) GRACE.toSeconds());
        executor.close();
        sessions.close();
    }

    @Override
    public String toString() {
        return "ChatServer[" + address() + ", " + name + ", " + (options.streams() - streams.availablePermits())
                + " of "
                + options.streams() + " streams]";
    }
}
