/**
 * A small chat server on {@code jdk.httpserver}: many sessions on one model, OpenAI-compatible, with a page that shows a memory
 * change while text appears.
 *
 * <p>{@link io.github.bitttt.server.ChatServer} has the routes, {@code Completions} answers one request,
 * {@code Generation} reads and writes tokens, {@code SessionStore} keeps the sessions that clients name. May import:
 * anything public.
 */
@NullMarked
package io.github.bitttt.server;

import org.jspecify.annotations.NullMarked;
