package io.github.bitttt.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * Which clients have gone, as the operating system's tables of connections know it. The JDK's server tells it only where something is
 * written, and an answer that is not streamed writes nothing until its end.
 *
 * <p>A client that has closed its connection, or only its sending half, is gone. Where there are no such tables (not on Linux), or
 * they do not show a connection, its client is taken to be there. Cost: a table is read four times a second while answers are made,
 * however many. For any thread.
 */
final class Connections {
    private static final List<Path> TABLES = List.of(Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6"));
    private static final long KEPT = Duration.ofMillis(250).toNanos();
    private static final HexFormat HEX = HexFormat.of().withUpperCase();
    // The columns of a table, and the state of a connection that the other side has closed.
    private static final int LOCAL = 1;
    private static final int REMOTE = 2;
    private static final int STATE = 3;
    private static final String CLOSE_WAIT = "08";

    private final List<Path> tables;
    private final String localPort;
    private Map<String, String> states = Map.of();
    private long read;

    /** The connections of a server.
     *
     * @param port at which it listens */
    Connections(int port) {
        this(port, TABLES);
    }

    Connections(int port, List<Path> tables) {
        this.tables = tables;
        localPort = port(port);
        read = System.nanoTime() - KEPT;
    }

    /** Begins to look at a client.
     *
     * @param client its address
     * @return asked by one thread: whether it has gone */
    BooleanSupplier gone(InetSocketAddress client) {
        String plain = key(client.getAddress().getAddress(), client.getPort());
        String mapped = key(mapped(client.getAddress().getAddress()), client.getPort());
        refresh(0);
        return new BooleanSupplier() {
            private boolean seen;

            @Override
            public boolean getAsBoolean() {
                Map<String, String> now = refresh(KEPT);
                String state = now.getOrDefault(plain, now.get(mapped));
                seen |= state != null;
                // One that broke off is not in the table any more.
                return state == null ? seen : state.equals(CLOSE_WAIT);
            }
        };
    }

    /** The states of all clients' connections, at most so old. */
    private synchronized Map<String, String> refresh(long nanos) {
        if (System.nanoTime() - read >= nanos) {
            Map<String, String> found = new HashMap<>();
            for (Path table : tables) {
                try (Stream<String> lines = Files.lines(table, StandardCharsets.ISO_8859_1)) {
                    lines.map(line -> line.strip().split("\\s+"))
                            .filter(columns -> columns.length > STATE && columns[LOCAL].endsWith(localPort))
                            .forEach(columns -> found.put(columns[REMOTE], columns[STATE]));
                } catch (IOException e) {
                    // Not on this system: its clients are taken to be there.
                    continue;
                }
            }
            states = found;
            read = System.nanoTime();
        }
        return states;
    }

    /** An address as the tables write it: words of four bytes in the machine's order, and the port. */
    private static String key(byte[] address, int port) {
        ByteBuffer words = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
        StringBuilder key = new StringBuilder();
        while (words.hasRemaining()) {
            key.append(HEX.toHexDigits(words.getInt()));
        }
        return key.append(port(port)).toString();
    }

    private static String port(int port) {
        return ":" + HEX.toHexDigits((short) port);
    }

    /** An address of four bytes as a socket of sixteen shows it. */
    private static byte[] mapped(byte[] address) {
        if (address.length != Integer.BYTES) {
            return address;
        }
        return ByteBuffer.allocate(16).putLong(0).putShort((short) 0).putShort((short) -1).put(address).array();
    }
}
