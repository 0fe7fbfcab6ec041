package io.github.bitttt.llama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ExcerptTest {
    @Test
    void neverSplitsACharacter() {
        String text = "Tim saw a 😀 and 👩🏽‍🚀 and e\u0301 and 🇩🇪.";
        for (int most = 1; most < text.length(); most++) {
            String shown = Excerpt.of(text, most);
            assertThat(shown).endsWith("...").isEqualTo(Tokenizer.wellFormed(shown));
            assertThat(shown.length()).isLessThanOrEqualTo(most + 3);
            assertThat(text).startsWith(shown.substring(0, shown.length() - 3));
        }
        assertThat(Excerpt.of(text, text.length())).isEqualTo(text);
        assertThat(Excerpt.of("ab😀", 3)).isEqualTo("ab...");
        assertThat(Excerpt.of("e\u0301x", 1)).isEqualTo("e...");
        assertThat(Excerpt.of("😀x", 1)).isEqualTo("...");
        assertThatIllegalArgumentException().isThrownBy(() -> Excerpt.of("a", 0))
                .withMessage("an excerpt has at least 1 character, got 0");
    }

    @Test
    void isOneLine() {
        assertThat(Excerpt.of("a\nb\tc\u001B[31m\u007F\u0085\u2028", 100)).isEqualTo("a␊b␉c␛[31m␡\uFFFD\uFFFD");
    }

    @Test
    void aTerminalGetsNoControlCharacters() {
        assertThat(Excerpt.forTerminal("a\n\tb\u001B]0;title\u0007\u0000\r😀é"))
                .isEqualTo("a\n\tb␛]0;title␇␀␍😀é");
    }
}
