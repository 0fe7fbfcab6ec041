package io.github.bitttt.capi;

/** Ends a call from outside with an error code of its own. */
final class CallException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ErrorCode code;

    CallException(ErrorCode code, String message) {
        super(message);
        this.code = code;
    }

    ErrorCode code() {
        return code;
    }
}
