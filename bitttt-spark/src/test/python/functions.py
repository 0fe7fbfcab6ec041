"""The three lines of README that give PySpark the functions of bitttt, and their use."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()

bitttt = spark._jvm.io.github.bitttt
model = bitttt.spark.SparkModel.broadcast(spark._jsparkSession, bitttt.llama.zoo.Zoo.load("stories-256x4"))
model.register()

stories = spark.createDataFrame([("Once upon a time",), ("One day",)], ["prompt"])
written = stories.selectExpr("prompt", "bitttt_generate(prompt, 5, 0.8, 1) story", "bitttt_perplexity(prompt) p").collect()
assert len(written) == 2 and all(row.story and row.p > 1 for row in written), written
spark.stop()
print("ok")
