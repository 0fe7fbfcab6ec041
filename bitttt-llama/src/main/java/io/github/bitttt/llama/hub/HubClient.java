package io.github.bitttt.llama.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;

/**
 * Asks a hub: lists, metadata of files, their contents. Follows its redirects, waits where it asks to, asks again where a connection
 * failed, and gives up after {@value #TRIES} tries.
 */
final class HubClient implements AutoCloseable {
    static final int TRIES = 5;
    static final int PARTIAL = 206;
    static final int NO_SUCH_RANGE = 416;
    private static final int MAX_REDIRECTS = 10;
    private static final Duration CONNECT = Duration.ofSeconds(20);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);
    private static final int REDIRECT = 300;
    private static final int NOT_MODIFIED = 304;
    private static final int ERROR = 400;

    private final HubAccess access;
    private final HubName name;
    private final Pauses pauses;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER).connectTimeout(CONNECT).build();

    HubClient(HubAccess access, HubName name, Pauses pauses) {
        this.access = access;
        this.name = name;
        this.pauses = pauses;
    }

    /** What the hub says of a file without sending it.
     *
     * @param etag   the hash of its contents, without quotes
     * @param bytes  its size
     * @param commit that it belongs to */
    record Head(Optional<String> etag, OptionalLong bytes, Optional<String> commit) {
        /** What an answer adds to those before it. */
        private Head and(HttpResponse<?> response, boolean last) {
            return new Head(
                    etag.or(() -> header(response, "X-Linked-Etag"))
                            .or(() -> last ? header(response, "ETag") : Optional.empty())
                            .map(text -> text.replaceFirst("^W/", "").replace("\"", "")),
                    bytes.isPresent()
                            ? bytes
                            : number(header(response, "X-Linked-Size")
                                    .or(() -> last ? header(response, "Content-Length") : Optional.empty())),
                    commit.or(() -> header(response, "X-Repo-Commit")));
        }

        private static Optional<String> header(HttpResponse<?> response, String name) {
            return response.headers().firstValue(name);
        }

        private static OptionalLong number(Optional<String> text) {
            return text.filter(digits -> digits.matches("\\d{1,18}")).map(Long::parseLong).map(OptionalLong::of)
                    .orElse(OptionalLong.empty());
        }
    }

    /** A path of several parts, each encoded. */
    static String encoded(String path) {
        return Arrays.stream(path.split("/", -1)).map(HubClient::word).collect(Collectors.joining("/"));
    }

    private static String word(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** The list of a model's files at a revision. */
    JsonNode list() throws IOException {
        String path = "/api/models/" + name.id() + "/revision/" + word(name.revision());
        return again(name.toString(), () -> {
            HttpResponse<InputStream> response = follow("GET", path, 0, false).response();
            check(name.toString(), response);
            return HubJson.object(bytes(response), response.uri().toString());
        });
    }

    /** All that a list may have, or one byte more. */
    private byte[] bytes(HttpResponse<InputStream> response) throws IOException {
        try (InputStream body = new WatchedStream(response.body(), pauses.longestSilence())) {
            return body.readNBytes(HubJson.MAX_BYTES + 1);
        } catch (IOException e) {
            throw new Passing(name + ": the connection broke off: " + reason(e), Optional.empty());
        }
    }

    private String path(String commit, String file) {
        return "/" + name.id() + "/resolve/" + commit + "/" + encoded(file);
    }

    /** What there is to know of a file. */
    Head head(String commit, String file) throws IOException {
        return again(file, () -> {
            Followed followed = follow("HEAD", path(commit, file), 0, true);
            followed.response().body().close();
            check(file, followed.response());
            return followed.head();
        });
    }

    /** A file's contents.
     *
     * @param from the first byte that is wanted
     * @return the answer: all of it, what follows, or that there is nothing from there; its body is to be closed */
    HttpResponse<InputStream> contents(String commit, String file, long from) throws IOException {
        return again(file, () -> {
            HttpResponse<InputStream> response = follow("GET", path(commit, file), from, false).response();
            if (response.statusCode() != NO_SUCH_RANGE) {
                check(file, response);
            }
            return response;
        });
    }

    private interface Question<T> {
        T ask() throws IOException;
    }

    /** An answer that may be another one later. */
    private static final class Passing extends IOException {
        private static final long serialVersionUID = 1;
        private final transient Optional<Duration> wait;

        Passing(String message, Optional<Duration> wait) {
            super(message);
            this.wait = wait;
        }
    }

    private <T> T again(String what, Question<T> question) throws IOException {
        for (int tries = 1;; tries++) {
            String failed;
            Duration wait = pauses.after(tries);
            try {
                return question.ask();
            } catch (Passing e) {
                failed = e.getMessage();
                wait = e.wait.orElse(wait);
            } catch (SSLException e) {
                throw new IOException(
                        what + ": " + access.endpoint() + " cannot be trusted or understood: " + e.getMessage(), e);
            } catch (ConnectException | HttpTimeoutException e) {
                failed = what + ": cannot be reached at " + access.endpoint().getHost() + ": " + reason(e);
            }
            if (tries == TRIES || wait.compareTo(LONGEST_WAIT) > 0) {
                throw new IOException(failed + (tries == TRIES
                        ? "; asked " + TRIES + " times"
                        : "; it asks to wait " + wait.toSeconds() + " s, come back then"));
            }
            pauses.pause(failed, wait);
        }
    }

    private static String reason(IOException e) {
        Throwable cause = e;
        while (cause.getMessage() == null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    private void check(String what, HttpResponse<InputStream> response) throws IOException {
        int status = response.statusCode();
        if (status >= ERROR) {
            response.body().close();
            IOException failure = HubFailure.of(name, what, access, response.uri(), status, response.headers());
            if (HubFailure.isPassing(status)) {
                throw new Passing(failure.getMessage(), HubFailure.wait(response.headers(), pauses.clock()));
            }
            throw failure;
        }
    }

    private record Followed(HttpResponse<InputStream> response, Head head) {}

    /** Follows redirects; of a HEAD only those within the hub, whose last answer says where the contents are. */
    private Followed follow(String method, String path, long from, boolean withinHub) throws IOException {
        URI address = access.at(path);
        Head head = new Head(Optional.empty(), OptionalLong.empty(), Optional.empty());
        for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
            HttpResponse<InputStream> response = send(method, address, from);
            Optional<String> location = response.headers().firstValue("Location");
            int status = response.statusCode();
            boolean redirects = status >= REDIRECT && status < ERROR && status != NOT_MODIFIED && location.isPresent();
            head = head.and(response, !redirects);
            if (!redirects) {
                return new Followed(response, head);
            }
            address = target(address, location.get());
            if (withinHub && !access.isHub(address)) {
                return new Followed(response, head);
            }
            response.body().close();
        }
        throw new IOException(access.at(path) + ": redirects more than " + MAX_REDIRECTS + " times");
    }

    private URI target(URI address, String location) throws IOException {
        URI target;
        try {
            target = address.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new IOException(address + ": redirects to something that is no address", e);
        }
        if (!access.mayFollow(target)) {
            throw new IOException(access.endpoint() + ": redirects to " + target.getScheme() + "://" + target.getHost()
                    + ", which is not https; that is not followed");
        }
        return target;
    }

    private HttpResponse<InputStream> send(String method, URI address, long from) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address).timeout(ANSWER)
                .method(method, HttpRequest.BodyPublishers.noBody()).header("User-Agent", "bitttt/0.1.0")
                .header("Accept-Encoding", "identity"); // sizes are those of the contents
        access.tokenFor(address).ifPresent(token -> request.header("Authorization", "Bearer " + token));
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while " + address.getHost() + " was asked");
        } catch (SSLException | ConnectException | HttpTimeoutException e) {
            throw e;
        } catch (IOException e) {
            throw new Passing(address.getHost() + ": the connection broke off: " + reason(e), Optional.empty());
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
