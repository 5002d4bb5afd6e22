package dev.daimon.benchmarks;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleFunction;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.AxisState;
import org.jfree.chart.axis.LogarithmicAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.axis.ValueTick;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.title.LegendTitle;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/** Lines, mostly on two logarithmic axes, in colours that are legible on white and on black. */
final class Plot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 440;
  private static final Color NONE = new Color(0, 0, 0, 0);
  private static final Color TEXT = new Color(0x80, 0x80, 0x80);
  private static final Color GRID = new Color(0x80, 0x80, 0x80, 0x60);
  private static final Color[] COLORS = {
    new Color(0x2f, 0x8f, 0xe0),
    new Color(0xe0, 0x70, 0x20),
    new Color(0x3a, 0xa0, 0x55),
    new Color(0xc8, 0x50, 0xa0),
    new Color(0x90, 0x78, 0xe0),
    new Color(0xb0, 0x90, 0x20),
  };

  /** The label of an axis of nanoseconds; its ticks have their own units. */
  static final String TIME = "time";

  private final String name;
  private final String title;
  private final String x;
  private final String y;
  private final boolean linear;
  private final XYSeriesCollection points = new XYSeriesCollection();

  Plot(String name, String title, String x, String y) {
    this(name, title, x, y, /* linear= */ false);
  }

  private Plot(String name, String title, String x, String y, boolean linear) {
    this.name = name;
    this.title = title;
    this.x = x;
    this.y = y;
    this.linear = linear;
  }

  /** Returns one with linear axes from zero, for so many points that none is marked. */
  static Plot linear(String name, String title, String x, String y) {
    return new Plot(name, title, x, y, /* linear= */ true);
  }

  String title() {
    return title;
  }

  String file() {
    return name + ".svg";
  }

  boolean isEmpty() {
    return points.getSeriesCount() == 0;
  }

  void point(String series, double x, double y) {
    if (points.getSeriesIndex(series) < 0) {
      points.addSeries(new XYSeries(series));
    }
    points.getSeries(series).add(x, y);
  }

  void write(Path directory) throws IOException {
    JFreeChart chart = ChartFactory.createXYLineChart(title, x, y, points);
    Font font = new Font("sans-serif", Font.PLAIN, 12);
    chart.setBackgroundPaint(NONE);
    chart.getTitle().setPaint(TEXT);
    chart.getTitle().setFont(font.deriveFont(Font.BOLD, 14f));
    LegendTitle legend = chart.getLegend();
    legend.setBackgroundPaint(NONE);
    legend.setItemPaint(TEXT);
    legend.setItemFont(font);
    legend.setFrame(BlockBorder.NONE);
    XYPlot plot = chart.getXYPlot();
    plot.setBackgroundPaint(NONE);
    plot.setOutlinePaint(TEXT);
    plot.setDomainGridlinePaint(GRID);
    plot.setRangeGridlinePaint(GRID);
    DoubleFunction<String> format =
        y.equals(TIME) ? Plot::time : value -> Text.whole(Math.round(value));
    NumberAxis across = linear ? new NumberAxis(x) : new Places(x, points.getSeries(0));
    NumberAxis up = linear ? new NumberAxis(y) : new Axis(y, format);
    plot.setDomainAxis(styled(across, font));
    plot.setRangeAxis(styled(up, font));
    XYLineAndShapeRenderer renderer =
        new XYLineAndShapeRenderer(/* lines= */ true, /* shapes= */ !linear);
    // One path a line: a tenth of the text.
    renderer.setDrawSeriesLineAsPath(linear);
    for (int i = 0; i < points.getSeriesCount(); i++) {
      renderer.setSeriesPaint(i, COLORS[i % COLORS.length]);
      renderer.setSeriesStroke(i, new BasicStroke(2));
    }
    plot.setRenderer(renderer);
    VectorGraphics2D graphics = new VectorGraphics2D();
    chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
    Files.createDirectories(directory);
    ByteArrayOutputStream svg = new ByteArrayOutputStream();
    PageSize page = new PageSize(WIDTH, HEIGHT);
    Processors.get("svg").getDocument(graphics.getCommands(), page).writeTo(svg);
    // The file must name the font family, or a browser would use its own.
    String text = svg.toString(StandardCharsets.UTF_8);
    text = text.replaceFirst("<svg ", "<svg font-family=\"DejaVu Sans, Verdana, sans-serif\" ");
    Files.writeString(directory.resolve(file()), text);
  }

  private static NumberAxis styled(NumberAxis axis, Font font) {
    axis.setLabelPaint(TEXT);
    axis.setLabelFont(font);
    axis.setTickLabelPaint(TEXT);
    axis.setTickLabelFont(font);
    axis.setAxisLinePaint(TEXT);
    axis.setTickMarkPaint(TEXT);
    return axis;
  }

  private static String time(double nanoseconds) {
    return Text.time(nanoseconds).replaceFirst("\\.0+ ", " ");
  }

  /** Ticks at the powers of ten. */
  private static class Axis extends LogarithmicAxis {
    private static final long serialVersionUID = 1L;

    private final transient DoubleFunction<String> format;

    Axis(String label, DoubleFunction<String> format) {
      super(label);
      this.format = format;
    }

    @Override
    public List<ValueTick> refreshTicks(
        Graphics2D graphics, AxisState state, Rectangle2D area, RectangleEdge edge) {
      List<ValueTick> ticks = new ArrayList<>();
      for (double power = 1; power <= getUpperBound(); power *= 10) {
        if (power >= getLowerBound()) {
          ticks.add(tick(power, TextAnchor.CENTER_RIGHT));
        }
      }
      return ticks;
    }

    NumberTick tick(double value, TextAnchor anchor) {
      return new NumberTick(value, format.apply(value), anchor, TextAnchor.CENTER, 0);
    }
  }

  /** Ticks at the values that were measured. */
  private static final class Places extends Axis {
    private static final long serialVersionUID = 1L;

    private final transient XYSeries places;

    Places(String label, XYSeries places) {
      super(label, value -> Text.whole(Math.round(value)));
      this.places = places;
    }

    @Override
    public List<ValueTick> refreshTicks(
        Graphics2D graphics, AxisState state, Rectangle2D area, RectangleEdge edge) {
      List<ValueTick> ticks = new ArrayList<>();
      for (int i = 0; i < places.getItemCount(); i++) {
        ticks.add(tick(places.getX(i).doubleValue(), TextAnchor.TOP_CENTER));
      }
      return ticks;
    }
  }
}
