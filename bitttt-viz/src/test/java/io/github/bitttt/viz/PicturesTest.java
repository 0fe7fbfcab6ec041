package io.github.bitttt.viz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.nn.GatedDeltaState;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.TttState;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PicturesTest {
    private static final int WHITE = 0xFFFFFFFF;

    @TempDir
    private Path folder;

    static List<Picture> pictures() {
        SequencedMap<String, double[]> readings = new LinkedHashMap<>();
        readings.put("first", new double[]{3, 2, 4, 1});
        readings.put("second", new double[]{2, 1, 2, 1});
        SequencedMap<String, List<Double>> speeds = new LinkedHashMap<>();
        speeds.put("naive", List.of(1.0, 2.0));
        speeds.put("vector", List.of(100.0, 130.0));
        HeatMaps.Matrix matrix = new HeatMaps.Matrix("W", new float[]{-1, 0, 0.5f, 1, 0, -0.5f}, 2, 3);
        return List.of(Charts.trainingLoss(List.of(1.0, 2.0), List.of(5.0, 4.0), List.of(2.0), List.of(4.5)),
                Charts.reconstruction(new double[]{1, 1, 0.1, 0.1, 0, 0}, 2),
                Charts.lossByPosition("Twice", readings, 2),
                Charts.histogram("Weights", "weight", new float[]{-1, 0, 0, 0.2f, 1}, 5),
                Charts.histogram("All equal", "weight", new float[]{2, 2}, 3),
                Charts.bars("Speed", "shape", "GMAC/s", List.of("64 x 64", "207 x 207"), speeds),
                HeatMaps.of(matrix, 120), HeatMaps.strip(List.of(matrix, matrix, matrix), 60, 2),
                Tables.of(List.of("reading", "nats"), List.of(List.of("first", "3.1"), List.of("again", "2.0"))),
                TintedText.of("A text", List.of(new TintedText.Token("Once", 0), new TintedText.Token(" upon", 9)),
                        300));
    }

    /** PNG and SVG, and nothing that touches the edge, where it would be cut. */
    @ParameterizedTest
    @MethodSource("pictures")
    void areDrawnWhole(Picture picture) throws Exception {
        Path png = folder.resolve("picture.png");
        picture.save(png);
        BufferedImage image = ImageIO.read(png.toFile());
        assertThat(image.getWidth()).isEqualTo(picture.width());
        assertThat(image.getHeight()).isEqualTo(picture.height());
        int inked = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                boolean edge = x == 0 || y == 0 || x == image.getWidth() - 1 || y == image.getHeight() - 1;
                boolean ink = image.getRGB(x, y) != WHITE;
                assertThat(edge && ink).as("ink at the edge, %d, %d", x, y).isFalse();
                inked += ink ? 1 : 0;
            }
        }
        assertThat(inked).isGreaterThan(200);

        Path svg = folder.resolve("picture.svg");
        picture.save(svg);
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        assertThat(factory.newDocumentBuilder().parse(svg.toFile()).getDocumentElement().getTagName()).isEqualTo("svg");
    }

    @Test
    void heatMapsHaveTheColoursOfTheirValues() {
        BufferedImage image = HeatMaps.of(new HeatMaps.Matrix("W", new float[]{-1, 0, 0, 1}, 2, 2), 100).image();
        assertThat(image.getRGB(30, 50)).isEqualTo(Palette.BLUE.getRGB());
        assertThat(image.getRGB(80, 50)).isEqualTo(WHITE);
        assertThat(image.getRGB(80, 110)).isEqualTo(Palette.RED.getRGB());
    }

    @Test
    void headsOfAMemoryAreTakenApart() {
        TttState<float[]> memory = new TttState<>(new float[]{1, 2, 3, 4, 5, 6, 7, 8}, new float[1], new float[1]);
        assertThat(HeatMaps.Matrix.of("second", memory, 2, 1).values()).containsExactly(5, 6, 7, 8);
        HeatMaps.Matrix wide = HeatMaps.Matrix.of("wide",
                new GatedDeltaState<>(new float[]{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, new float[1]), 2, 1, 3);
        assertThat(wide.values()).containsExactly(7, 8, 9, 10, 11, 12);
        assertThat(wide.rows()).isEqualTo(2);
        assertThatThrownBy(
                () -> HeatMaps.Matrix.of("none", new KvCache<>(new float[4], new float[4]), 1, 0))
                .hasMessage("none: attention has no W to show, only keys and values");
        assertThatThrownBy(() -> HeatMaps.Matrix.of("third", memory, 2, 2)).hasMessage("head must be 0 to 1, got 2");
    }

    @Test
    void saysWhatItCannotDraw() throws IOException {
        Picture picture = Tables.of(List.of("a"), List.of());
        assertThatThrownBy(() -> picture.save(folder.resolve("picture.gif")))
                .hasMessage("a picture's file ends in .png or .svg, got " + folder.resolve("picture.gif"));
        assertThat(Files.list(folder)).isEmpty();
        assertThatThrownBy(() -> new HeatMaps.Matrix("W", new float[3], 2, 2))
                .hasMessage("a heat map [2, 2] takes 4 values, got 3");
        assertThatThrownBy(() -> Tables.of(List.of("a"), List.of(List.of("1", "2"))))
                .hasMessage("every row takes 1 cells, got 2 in [1, 2]");
        assertThat(picture).hasToString("Picture[" + picture.width() + " x " + picture.height() + "]");
    }

    /** Where a picture is drawn changes no pixel of it: German and Egyptian digits and marks would. */
    @ParameterizedTest
    @ValueSource(strings = {"de-DE", "ar-EG-u-nu-arab"})
    void picturesAreTheSameEverywhere(String where) {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.ROOT);
            List<int[]> expected = pictures().stream().map(PicturesTest::pixels).toList();
            Locale.setDefault(Locale.forLanguageTag(where));
            List<int[]> drawn = pictures().stream().map(PicturesTest::pixels).toList();
            for (int i = 0; i < drawn.size(); i++) {
                assertThat(drawn.get(i)).as("picture " + i).isEqualTo(expected.get(i));
            }
        } finally {
            Locale.setDefault(before);
        }
    }

    private static int[] pixels(Picture picture) {
        return picture.image().getRGB(0, 0, picture.width(), picture.height(), null, 0, picture.width());
    }
}
