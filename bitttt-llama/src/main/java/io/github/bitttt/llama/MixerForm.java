package io.github.bitttt.llama;

/** The form of a block's mixer, in a {@link BitLlamaConfig}: {@link BitLlamaConfig.Ttt} or {@link AttentionForm}. */
public sealed interface MixerForm permits BitLlamaConfig.Ttt, AttentionForm {
}
