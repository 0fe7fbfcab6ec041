/** A program in a module of its own. */
module example.inference {
    requires io.github.bitttt.llama;
}
