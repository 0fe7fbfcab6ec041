package io.github.bitttt.server;

import com.sun.net.httpserver.HttpServer;
import io.github.bitttt.llama.text.Excerpt;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;

/**
 * The limits of a server.
 *
 * @param host      address to listen at; 127.0.0.1 keeps it on this machine
 * @param port      0 takes any free one
 * @param streams   answers that are written at once; a further request is told to come back
 * @param sessions  named sessions that are kept; the one unused for longest makes room
 * @param bodyBytes of a request at most
 * @param maxTokens of an answer at most
 * @param timeout   of reading a request, and of an answer
 */
public record ServerOptions(String host, int port, int streams, int sessions, int bodyBytes, int maxTokens,
        Duration timeout) {
    private static final Duration MOST = Duration.ofDays(366);

    private static final int WAITING = 128; // connections that are not accepted yet
    private static final int MAX_SHOWN = 100;

    /** Checks every value. */
    public ServerOptions {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port must be 0 to 65535, got " + port);
        }
        atLeastOne("streams", streams);
        atLeastOne("sessions", sessions);
        atLeastOne("body bytes", bodyBytes);
        atLeastOne("max tokens", maxTokens);
        if (timeout.toSeconds() < 1) {
            throw new IllegalArgumentException("timeout must be at least 1 second, got " + timeout);
        }
        if (timeout.compareTo(MOST) > 0) {
            throw new IllegalArgumentException("timeout must be at most a year, got " + timeout);
        }
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }

    /** A server at the address, which a message names if it is used, no address of this machine, or not known. */
    HttpServer listen() throws IOException {
        InetAddress address;
        try {
            address = InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new IOException("host " + Excerpt.of(host, MAX_SHOWN) + ": no such address or name", e);
        }
        try {
            return HttpServer.create(new InetSocketAddress(address, port), WAITING);
        } catch (SocketException e) {
            throw new IOException(host + " port " + port + ": " + e.getMessage()
                    + "; choose another host or port, 0 for any free port", e);
        }
    }

    /** On this machine only: 64 streams, 64 sessions, 1 MiB, 4,096 tokens, one minute.
     *
     * @param port 0 takes any free one
     * @return options */
    public static ServerOptions local(int port) {
        return new ServerOptions("127.0.0.1", port, 64, 64, 1 << 20, 4096, Duration.ofMinutes(1));
    }

    /** The same with another timeout.
     *
     * @param duration at least a second
     * @return new options */
    public ServerOptions withTimeout(Duration duration) {
        return new ServerOptions(host, port, streams, sessions, bodyBytes, maxTokens, duration);
    }

    /** The same with other bounds on what runs and is kept.
     *
     * @param atOnce answers
     * @param kept   sessions
     * @return new options */
    public ServerOptions withBounds(int atOnce, int kept) {
        return new ServerOptions(host, port, atOnce, kept, bodyBytes, maxTokens, timeout);
    }
}
