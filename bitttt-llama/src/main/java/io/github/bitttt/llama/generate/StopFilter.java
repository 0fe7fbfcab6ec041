package io.github.bitttt.llama.generate;

import java.util.List;

/** Lets text through up to the first stop text, and holds back what may be the beginning of one. For one thread. */
final class StopFilter {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    StopFilter(List<String> stops) {
        this.stops = stops;
    }

    /** More text.
     *
     * @param piece what was written
     * @return what can be shown now */
    String next(String piece) {
        held.append(piece);
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }
        stopped = first >= 0;
        int safe = stopped ? first : held.length() - longestBeginning();
        String shown = held.substring(0, safe);
        held.delete(0, safe);
        return shown;
    }

    /** How much of the end is the beginning of a stop text. */
    private int longestBeginning() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    /** Whether a stop text was written. */
    boolean stopped() {
        return stopped;
    }

    /** What was held back, at the end of an answer that was not stopped. */
    String rest() {
        return stopped ? "" : held.toString();
    }
}
