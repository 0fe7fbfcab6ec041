package io.github.bitttt.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page, used as a person does, in headless Chromium where chromedriver is installed. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PageTest {
    private static final int TOKENS = 400;
    // Notes every change that the page shows: the token it is at, and the pixels of the heat map.
    private static final String WATCH = """
            window.maps = []; window.positions = [];
            new MutationObserver(() => {
              positions.push(+document.body.dataset.position);
              maps.push(document.getElementById("map").toDataURL());
            }).observe(document.body, {attributeFilter: ["data-position"]});""";
    private static final String STATE = "document.body.dataset.state == ";

    @TempDir
    private Path profile;

    @Test
    void showsAMemoryThatChangesWhileTextAppears() throws Exception {
        Optional<Path> driver = Browser.driver();
        assumeTrue(driver.isPresent(), "chromedriver is not on PATH; apt-get install chromium-driver");
        Model model = Model.load(Zoo.DEFAULT);
        try (ChatServer server = ChatServer.start(Zoo.DEFAULT, model, ServerOptions.local(0), InstantSource.system());
                Browser browser = Browser.open(driver.get(), profile, 1240, 940)) {
            browser.go(server.address());
            browser.await(STATE + "'ready'");
            browser.script("document.getElementById('tokens').value = " + TOKENS
                    + "; document.getElementById('pace').value = 200;" + WATCH);
            browser.click("#write");
            browser.await(STATE + "'done'");

            String prompt = browser.script("return document.getElementById('prompt').value").asText();
            assertThat(browser.script("return document.getElementById('text').textContent").asText())
                    .isEqualTo(prompt + alone(model, prompt));
            assertThat(browser.script("return new Set(maps).size").intValue()).as("pictures of W").isGreaterThan(5);
            assertThat(browser.script("return positions.every((p, i) => !i || p > positions[i - 1])").asBoolean())
                    .isTrue();
            // Nothing foretold the first token.
            assertThat(browser.script("return document.querySelectorAll('#text span:not([title$=nats])').length")
                    .intValue()).isEqualTo(1);
            save(browser, "page.png");

            double first = promptSurprise(browser, 0);
            browser.click("#write");
            browser.await(STATE + "'done' && document.getElementById('stop').disabled && positions.length > 0");
            assertThat(promptSurprise(browser, 1)).as("surprise of the second reading").isLessThan(first);

            stopsAndForgets(browser);
            fitsANarrowWindow(browser);
            for (JsonNode line : browser.console()) {
                assertThat(line.get("level").asText()).as(line.toString()).isNotEqualTo("SEVERE");
            }
        }
    }

    private static String alone(Model model, String prompt) {
        try (Session session = model.newSession()) {
            return session.generate(prompt, model.defaults().withSeed(7).withMaxNewTokens(TOKENS)).result().text();
        }
    }

    /** Mean nats of the prompt's tokens, without its first. */
    private static double promptSurprise(Browser browser, int reading) throws IOException {
        return browser.script("""
                const reading = %d, all = [...document.querySelectorAll('#text .prompt')];
                const each = all.length / (reading + 1);
                const part = all.slice(reading * each + 1, (reading + 1) * each).map(token => parseFloat(token.title));
                return part.reduce((a, b) => a + b) / part.length""".formatted(reading)).doubleValue();
    }

    private static void stopsAndForgets(Browser browser) throws Exception {
        browser.script("document.getElementById('tokens').value = 4096; document.getElementById('pace').value = 20");
        browser.click("#write");
        browser.click("#stop");
        browser.await(STATE + "'stopped'");
        browser.click("#forget");
        browser.await("document.getElementById('text').textContent == ''");
        assertThat(browser.script("return document.getElementById('status').textContent").asText())
                .isEqualTo("Forgotten: W is all zero.");
    }

    private void fitsANarrowWindow(Browser browser) throws IOException {
        browser.resize(520, 1400);
        save(browser, "page-narrow.png");
        assertThat(browser.script("return document.documentElement.scrollWidth - window.innerWidth").intValue())
                .as("pixels that stick out").isNotPositive();
    }

    private static void save(Browser browser, String name) throws IOException {
        Path target = Files.createDirectories(Path.of("target", "pictures"));
        Files.write(target.resolve(name), browser.screenshot());
    }
}
