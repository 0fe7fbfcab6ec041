package io.github.bitttt.llama.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the hub is, and the token of whoever asks. The token goes to the hub's own host and to no other, and into no message.
 */
final class HubAccess {
    private static final String PUBLIC = "https://huggingface.co";
    private static final int MAX_TOKEN = 10_000;

    private final URI endpoint;
    private final Optional<String> token;

    private HubAccess(URI endpoint, Optional<String> token) {
        this.endpoint = endpoint;
        this.token = token;
    }

    /** What the environment says: {@code HF_ENDPOINT}; {@code HF_TOKEN}, else the file {@code HF_TOKEN_PATH}, else {@code token} in the
     * folder of the hub's tools.
     *
     * @throws IOException if the endpoint is no address, or the token cannot be sent */
    static HubAccess of(Map<String, String> environment) throws IOException {
        return new HubAccess(endpoint(environment.getOrDefault("HF_ENDPOINT", "")), token(environment));
    }

    private static URI endpoint(String text) throws IOException {
        String address = text.isBlank() ? PUBLIC : text.strip().replaceFirst("/+$", "");
        try {
            URI uri = URI.create(address);
            if (uri.getHost() != null && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))
                    && uri.getRawUserInfo() == null && uri.getRawQuery() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new IOException("HF_ENDPOINT must be the address of a hub, as " + PUBLIC, e);
        }
        throw new IOException("HF_ENDPOINT must be the address of a hub, as " + PUBLIC + ", without a user or a query");
    }

    private static Optional<String> token(Map<String, String> environment) throws IOException {
        for (String name : new String[]{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            String token = environment.getOrDefault(name, "").strip();
            if (!token.isEmpty()) {
                return Optional.of(checked(token, name));
            }
        }
        Optional<Path> file = HubCache.variable(environment, "HF_TOKEN_PATH")
                .or(() -> HubCache.home(environment).map(home -> home.resolve("token")));
        if (file.isEmpty() || !Files.isRegularFile(file.get())) {
            return Optional.empty();
        }
        String token = Files.size(file.get()) > MAX_TOKEN
                ? "\n"
                : new String(Files.readAllBytes(file.get()), StandardCharsets.UTF_8).strip();
        return token.isEmpty() ? Optional.empty() : Optional.of(checked(token, file.get().toString()));
    }

    /** A header that cannot be sent would be printed by what refuses it. */
    private static String checked(String token, String where) throws IOException {
        if (token.length() > MAX_TOKEN || token.chars().anyMatch(c -> c <= ' ' || c >= 127)) {
            throw new IOException(
                    where + ": must hold a token of visible ASCII letters on one line; it is not shown here");
        }
        return token;
    }

    /** The hub's address. */
    URI endpoint() {
        return endpoint;
    }

    /** An address at the hub.
     *
     * @param path beginning with {@code /}, encoded */
    URI at(String path) {
        return URI.create(endpoint + path);
    }

    /** The token, for an address that may have it: the hub's own host, by a connection that others cannot read. */
    Optional<String> tokenFor(URI address) {
        return isHub(address) && (isHttps(address) || isLoopback(address.getHost())) ? token : Optional.empty();
    }

    /** Whether there is a token, which may be one that is not sent. */
    boolean hasToken() {
        return token.isPresent();
    }

    /** Whether an address is of the hub's own host, port and scheme. */
    boolean isHub(URI address) {
        return endpoint.getScheme().equalsIgnoreCase(address.getScheme())
                && endpoint.getHost().equalsIgnoreCase(address.getHost()) && port(endpoint) == port(address);
    }

    /** Whether what the hub redirects to may be asked: an https address, or any of a hub that is itself http. */
    boolean mayFollow(URI address) {
        return address.getHost() != null && address.getRawUserInfo() == null
                && (isHttps(address) || "http".equalsIgnoreCase(address.getScheme()) && !isHttps(endpoint));
    }

    private static boolean isHttps(URI address) {
        return "https".equalsIgnoreCase(address.getScheme());
    }

    private static int port(URI address) {
        return address.getPort() >= 0 ? address.getPort() : isHttps(address) ? 443 : 80;
    }

    private static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost") || name.matches("127(\\.\\d{1,3}){3}") || name.equals("[::1]");
    }

    @Override
    public String toString() {
        return "HubAccess[" + endpoint + (token.isPresent() ? ", with a token" : "") + "]";
    }
}
