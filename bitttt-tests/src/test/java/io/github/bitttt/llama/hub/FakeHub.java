package io.github.bitttt.llama.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A hub on this machine that answers as the public one does: lists; HEAD with hash, size and commit; small files by a redirect of its own,
 * large ones by a redirect to another host, with ranges. And that misbehaves when it is told to.
 */
final class FakeHub implements AutoCloseable {
    static final String ID = "org/tiny";
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    /** Answers instead of the hub. */
    interface Fault {
        /** Whether it answered. */
        boolean answer(HttpExchange exchange) throws IOException;
    }

    /** One request, as the server saw it. */
    record Seen(String host, String method, String path, String token, String range) {}

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer hub = server(this::hub);
    private final HttpServer storage = server(this::storage);
    private final Map<String, byte[]> files = new TreeMap<>();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private final Queue<Fault> hubFaults = new ConcurrentLinkedQueue<>();
    private final Queue<Fault> storageFaults = new ConcurrentLinkedQueue<>();
    private final List<String> further = new ArrayList<>();
    private String demanded = "";

    private HttpServer server(com.sun.net.httpserver.HttpHandler handler) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                Headers headers = exchange.getRequestHeaders();
                seen.add(new Seen(headers.getFirst("Host"), exchange.getRequestMethod(),
                        exchange.getRequestURI().getRawPath(),
                        String.valueOf(headers.getFirst("Authorization")), String.valueOf(headers.getFirst("Range"))));
                try (exchange) {
                    handler.handle(exchange);
                }
            });
            server.setExecutor(threads);
            server.start();
            return server;
        } catch (IOException e) {
            throw new IllegalStateException("no server on loopback", e);
        }
    }

    /** Where it is. */
    String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    /** The host that large files come from: another name, and another port. */
    String storageHost() {
        return "localhost:" + storage.getAddress().getPort();
    }

    FakeHub with(String name, byte[] contents) {
        files.put(name, contents);
        return this;
    }

    FakeHub with(String name, String contents) {
        return with(name, contents.getBytes(StandardCharsets.UTF_8));
    }

    /** Lists a file that it does not have. */
    FakeHub listing(String name) {
        further.add(name);
        return this;
    }

    /** Wants this token for everything. */
    FakeHub demanding(String token) {
        demanded = token;
        return this;
    }

    /** The next answers of the hub. */
    FakeHub first(Fault... faults) {
        hubFaults.addAll(List.of(faults));
        return this;
    }

    /** The next answers of the storage. */
    FakeHub firstOfStorage(Fault... faults) {
        storageFaults.addAll(List.of(faults));
        return this;
    }

    /** What was asked, in its order. */
    List<Seen> seen() {
        return List.copyOf(seen);
    }

    /** How often contents were asked of the storage. */
    long fetches() {
        return seen.stream().filter(request -> request.host().equals(storageHost())).count();
    }

    /** A fault that is a status with headers. */
    static Fault status(int status, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
            return true;
        };
    }

    /** A fault that is no fault. */
    static Fault none() {
        return _ -> false;
    }

    /** A connection that breaks off after so many bytes. */
    Fault cut(String file, int bytes) {
        return exchange -> {
            byte[] all = files.get(file);
            int from = from(exchange);
            range(exchange, from, all.length);
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, all.length - from);
            exchange.getResponseBody().write(all, from, bytes);
            exchange.getResponseBody().flush();
            return true; // the end of the exchange is the end of the connection
        };
    }

    static String sha256(byte[] contents) {
        return hash("SHA-256", new byte[0], contents);
    }

    static String gitHash(byte[] contents) {
        return hash("SHA-1", ("blob " + contents.length + "\0").getBytes(StandardCharsets.US_ASCII), contents);
    }

    private static String hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isLarge(String name) {
        return name.endsWith(".safetensors") || name.endsWith(".gguf");
    }

    private void hub(HttpExchange exchange) throws IOException {
        Fault fault = hubFaults.poll();
        if (fault != null && fault.answer(exchange)) {
            return;
        }
        if (!demanded.isEmpty()
                && !("Bearer " + demanded).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            status(401, "X-Error-Message", "Invalid credentials").answer(exchange);
            return;
        }
        String path = exchange.getRequestURI().getPath();
        if (path.startsWith("/api/models/" + ID + "/revision/") || path.equals("/api/models/" + ID)) {
            send(exchange, 200, listing());
        } else if (path.startsWith("/api/models/" + ID + "/tree/")) {
            send(exchange, 200, tree());
        } else if (path.startsWith("/" + ID + "/resolve/")) {
            String[] parts = path.split("/", 6);
            resolve(exchange, parts[5]);
        } else if (path.startsWith("/api/resolve-cache/models/" + ID + "/" + COMMIT + "/")) {
            small(exchange, path.substring(path.indexOf(COMMIT) + COMMIT.length() + 1));
        } else {
            status(404, "X-Error-Code", "RepoNotFound").answer(exchange);
        }
    }

    private byte[] listing() throws IOException {
        ObjectNode root = new ObjectMapper().createObjectNode().put("id", ID).put("sha", COMMIT);
        ArrayNode siblings = root.putArray("siblings");
        files.keySet().forEach(name -> siblings.addObject().put("rfilename", name));
        further.forEach(name -> siblings.addObject().put("rfilename", name));
        return new ObjectMapper().writeValueAsBytes(root);
    }

    /** What Python's tools ask for instead. */
    private byte[] tree() throws IOException {
        ArrayNode root = new ObjectMapper().createArrayNode();
        files.forEach((name, contents) -> {
            ObjectNode file = root.addObject().put("type", "file").put("path", name).put("size", contents.length).put(
                    "oid",
                    gitHash(contents));
            if (isLarge(name)) {
                file.putObject("lfs").put("oid", sha256(contents)).put("size", contents.length).put("pointerSize", 1);
            }
        });
        return new ObjectMapper().writeValueAsBytes(root);
    }

    private void resolve(HttpExchange exchange, String name) throws IOException {
        byte[] contents = files.get(name);
        if (contents == null) {
            status(404, "X-Error-Code", "EntryNotFound").answer(exchange);
            return;
        }
        Headers headers = exchange.getResponseHeaders();
        headers.set("X-Repo-Commit", COMMIT);
        if (isLarge(name)) {
            headers.set("X-Linked-Etag", "\"" + sha256(contents) + "\"");
            headers.set("X-Linked-Size", String.valueOf(contents.length));
            headers.set("ETag", "\"what the redirect itself has\"");
            headers.set("Location",
                    "http://" + storageHost() + "/blobs/" + HubClient.encoded(name) + "?signature=once");
            exchange.sendResponseHeaders(302, -1);
        } else if (name.endsWith(".json")) {
            headers.set("X-Linked-Etag", "\"" + gitHash(contents) + "\"");
            headers.set("X-Linked-Size", String.valueOf(contents.length));
            headers.set("Location", "/api/resolve-cache/models/" + ID + "/" + COMMIT + "/" + HubClient.encoded(name));
            exchange.sendResponseHeaders(307, -1);
        } else {
            small(exchange, name);
        }
    }

    private void small(HttpExchange exchange, String name) throws IOException {
        byte[] contents = files.get(name);
        exchange.getResponseHeaders().set("ETag", "W/\"" + gitHash(contents) + "\"");
        exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
        send(exchange, 200, contents);
    }

    private static void send(HttpExchange exchange, int status, byte[] contents) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(contents.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, contents.length == 0 ? -1 : contents.length);
        exchange.getResponseBody().write(contents);
    }

    private static int from(HttpExchange exchange) {
        String range = exchange.getRequestHeaders().getFirst("Range");
        return range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    }

    private static void range(HttpExchange exchange, int from, int bytes) {
        if (from > 0) {
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + (bytes - 1) + "/" + bytes);
        }
    }

    private void storage(HttpExchange exchange) throws IOException {
        Fault fault = storageFaults.poll();
        if (fault != null && fault.answer(exchange)) {
            return;
        }
        URI asked = exchange.getRequestURI();
        byte[] contents = files.get(asked.getPath().substring("/blobs/".length()));
        int from = from(exchange);
        range(exchange, from, contents.length);
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, contents.length - from);
        exchange.getResponseBody().write(contents, from, contents.length - from);
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
        threads.shutdownNow();
    }
}
