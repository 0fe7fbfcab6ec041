package io.github.bitttt.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** A request that is refused: an HTTP status and OpenAI's error object. */
final class ApiException extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String type;
    private final String param;
    private final String code;

    /** An error.
     *
     * @param status  of HTTP
     * @param type    OpenAI's kind of error
     * @param param   the field that is wrong; empty for none
     * @param code    OpenAI's code; empty for none
     * @param message for people */
    ApiException(int status, String type, String param, String code, String message) {
        super(message);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    /** 400: a field is wrong. */
    static ApiException invalid(String param, String message) {
        return new ApiException(400, "invalid_request_error", param, "", message);
    }

    /** 404, 405, 413 and their kind. */
    static ApiException refused(int status, String code, String message) {
        return new ApiException(status, "invalid_request_error", "", code, message);
    }

    /** 429 and 503: try again later. */
    static ApiException busy(int status, String code, String message) {
        return new ApiException(status, status == 429 ? "rate_limit_error" : "server_error", "", code, message);
    }

    int status() {
        return status;
    }

    /** The body of the response. */
    ObjectNode json() {
        ObjectNode error = JsonNodeFactory.instance.objectNode();
        error.putObject("error").put("message", getMessage()).put("type", type)
                .put("param", param.isEmpty() ? null : param).put("code", code.isEmpty() ? null : code);
        return error;
    }
}
