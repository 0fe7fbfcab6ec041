package io.github.bitttt.llama.hub;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a hub's answer means that is no success: what to say, and whether to ask again. */
final class HubFailure {
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int TIMEOUT = 408;
    private static final int TOO_MANY = 429;
    private static final int SERVER = 500;
    /** The seconds after which a used-up quota is new: {@code "api";r=0;t=55}. */
    private static final Pattern RESET = Pattern.compile("t=(\\d{1,9})");

    private HubFailure() {
    }

    /** Whether the same question may have another answer later. */
    static boolean isPassing(int status) {
        return status == TIMEOUT || status == TOO_MANY || status >= SERVER;
    }

    /** How long a hub asks to wait, if it does. */
    static Optional<Duration> wait(HttpHeaders headers, InstantSource clock) {
        String after = headers.firstValue("Retry-After").orElse("").strip();
        if (after.matches("\\d{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(after)));
        }
        if (!after.isEmpty()) {
            try {
                Instant then = ZonedDateTime.parse(after, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
                Duration wait = Duration.between(clock.instant(), then);
                return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
            } catch (DateTimeParseException e) {
                return Optional.empty(); // neither of the two forms that the protocol has
            }
        }
        Matcher reset = RESET.matcher(headers.firstValue("RateLimit").orElse(""));
        return reset.find() ? Optional.of(Duration.ofSeconds(Long.parseLong(reset.group(1)))) : Optional.empty();
    }

    /** What to say of an answer.
     *
     * @param what    was asked for: a model, or a file of it
     * @param access  by which
     * @param address that answered */
    static IOException of(HubName name, String what, HubAccess access, URI address, int status, HttpHeaders headers) {
        String code = headers.firstValue("X-Error-Code").orElse("");
        String said = headers.firstValue("X-Error-Message").map(text -> " (" + HubJson.shown(text) + ")").orElse("");
        String at = address.getScheme() + "://" + address.getRawAuthority();
        String answer = what + ": " + at + " answers " + status + said;
        if (status == FORBIDDEN && access.isHub(address) || code.equals("GatedRepo")) {
            return new IOException(answer + "; the model is gated or private: accept its terms at "
                    + access.endpoint() + "/" + name.id() + ", and give a token of that account, "
                    + tokens(access, address));
        }
        if (status == UNAUTHORIZED && access.isHub(address)) {
            return new IOException(answer + "; there is no such model, or it is private or gated and wants a token, "
                    + tokens(access, address));
        }
        if (status == NOT_FOUND && access.isHub(address)) {
            return new IOException(answer + switch (code) {
                case "RevisionNotFound" -> "; the model has no revision " + name.revision();
                case "EntryNotFound" -> "; the model has no such file any more";
                default -> "; there is no such model, or no revision " + name.revision() + " of it";
            });
        }
        return new IOException(answer);
    }

    private static String tokens(HubAccess access, URI address) {
        return "in HF_TOKEN or in the file that `hf auth login` writes; "
                + (access.tokenFor(address).isPresent()
                        ? "the one that is there was not accepted"
                        : access.hasToken()
                                ? "the one that is there is not sent, for this address is not https"
                                : "none is there");
    }
}
