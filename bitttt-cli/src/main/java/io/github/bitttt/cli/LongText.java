package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Reads a text in one session and tells from time to time how well, how large W has become, and what the process holds. */
final class LongText {
    private static final Path STATUS = Path.of("/proc/self/status");

    private LongText() {
    }

    /** One row for each so many tokens; the memory is never emptied. */
    static List<Map<String, Object>> read(Model model, int[] ids, int every, PrintWriter out) throws IOException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (Session session = model.newSession()) {
            for (int from = 0; from + 1 < ids.length; from += every) {
                int to = Math.min(from + every, ids.length - 1);
                double nats = Arrays.stream(Evaluation.surprises(session, Arrays.copyOfRange(ids, from, to + 1))).sum();
                double[] norms = session.memoryNorms();
                long resident = residentBytes();
                out.println(
                        String.format(Locale.ROOT, "%,10d tokens: %.4f nats per token, norm of W %s, resident %,d MB",
                                to, nats / (to - from),
                                Arrays.stream(norms).mapToObj(norm -> String.format(Locale.ROOT, "%.2f", norm))
                                        .collect(Collectors.joining(" ")),
                                resident >> 20));
                out.flush();
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("tokens", to);
                row.put("nats_per_token", nats / (to - from));
                row.put("norms", norms);
                row.put("resident_bytes", resident);
                rows.add(row);
            }
        }
        return rows;
    }

    /** Of the process where the system tells, else of the heap. */
    private static long residentBytes() throws IOException {
        if (Files.exists(STATUS)) {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10; // kB
                }
            }
        }
        return Runtime.getRuntime().totalMemory();
    }
}
