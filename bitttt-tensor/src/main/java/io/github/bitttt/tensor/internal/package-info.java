/** The kernels: what they mean, their fast forms, and the choice between them. Not for users. */
package io.github.bitttt.tensor.internal;
