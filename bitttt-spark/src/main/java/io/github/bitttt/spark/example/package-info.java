/** Programs that show and measure bitttt on Spark; they may import anything public. */
package io.github.bitttt.spark.example;
