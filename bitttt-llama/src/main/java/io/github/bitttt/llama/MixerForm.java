package io.github.bitttt.llama;

/** The form of a block's mixer, in a {@link BitLlamaConfig}: {@link BitLlamaConfig.Ttt}, {@link GatedDeltaForm} or {@link AttentionForm}. */
public sealed interface MixerForm permits BitLlamaConfig.Ttt, GatedDeltaForm, AttentionForm {
}
