// The C++ header on the finished library. Argument: folder of whole and broken models.
#include "bitttt.hpp"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <thread>

using bitttt::Error;
using bitttt::Model;
using bitttt::Options;
using bitttt::Session;
using bitttt::SessionOptions;
using bitttt::TttLayer;

static void expect(bool condition, const std::string &what) {
    if (!condition) {
        std::cerr << "not so: " << what << "\n";
        std::exit(1);
    }
}

static void expect_error(int code, const std::string &words, const std::function<void()> &action) {
    try {
        action();
    } catch (const Error &error) {
        expect(error.code() == code && std::string(error.what()).find(words) != std::string::npos,
               "error " + std::to_string(code) + " with " + words + ", got " + error.what());
        return;
    }
    expect(false, "an error with " + words);
}

/// A call that is refused before the library is asked.
static void expect_refusal(const std::string &words, const std::function<void()> &action) {
    try {
        action();
    } catch (const std::invalid_argument &error) {
        expect(std::string(error.what()).find(words) != std::string::npos, "a refusal with " + words + ", got " + error.what());
        return;
    }
    expect(false, "a refusal with " + words);
}

static void texts(const Model &model) {
    Session session = model.session();
    Options options;
    options.max_new_tokens = 30;
    std::string story = session.generate("Once upon a time", options);
    expect(story.size() > 20, "a story");
    session.reset();
    expect(session.generate("Once upon a time", options) == story, "the same story");
    int heard = 0;
    bitttt::End end = session.generate("Once", options, [&](std::string_view) { return ++heard < 3; });
    expect(heard == 3 && end == bitttt::End::cancelled, "three pieces");
    // What the listener throws passes around C.
    try {
        session.generate("Once", options, [](std::string_view) -> bool { throw std::runtime_error("enough"); });
        expect(false, "an exception");
    } catch (const std::runtime_error &error) {
        expect(std::string(error.what()) == "enough", "the listener's own exception");
    }
    options.temperature = std::nan("");
    expect_refusal("temperature must be finite", [&] { session.generate("a", options); });
    options.temperature.reset();
    options.top_p = 2;
    expect_error(1, "top_p must be", [&] { session.generate("a", options); });
}

static void memories(const Model &model, const std::string &folder) {
    Session session = model.session();
    expect(session.learn("Tim had a red ball.") > 3, "tokens");
    session.save_memory(folder + "/cpp.memory");
    Session loaded = model.session();
    loaded.load_memory(folder + "/cpp.memory");
    std::string none = folder + "/none.memory";
    expect_error(3, none + ": no such file", [&] { loaded.load_memory(none); });
    try {
        loaded.load_memory(none);
    } catch (const Error &error) {
        expect(error.file_errno() == ENOENT, "ENOENT");
    }
    expect_refusal("file cannot hold a NUL", [&] { session.save_memory(std::string("a\0b", 3)); });
    expect_refusal("name cannot hold a NUL", [] { Model(std::string("a\0b", 3)); });
    Session copy = session.fork();
    std::vector<float> logits = session.feed({5});
    expect(logits.size() == model.vocabulary() && std::isfinite(logits[0]), "logits");
    expect(copy.feed({5}) == logits && loaded.feed({5}) == logits, "a fork and a loaded memory know the same");
    expect(session.describe().find("\"position\":") != std::string::npos, "description");
    Session moved = std::move(session);
    moved.feed({1});
    expect_error(2, "a session is needed", [&] { session.feed({1}); });
    expect_error(1, "at least 1 token", [&] { moved.feed({}); });
}

/// A memory at the output is forked, saved, loaded and emptied apart.
static void output_memory(const Model &model) {
    SessionOptions options;
    expect(options.json() == "{}", "nothing is named");
    options.output_memory = "standard";
    options.window = 5;
    expect(options.json() == R"({"output_memory": "standard", "window": 5})", "both are named");
    expect_error(1, "a window is for attention", [&] { model.session(options); });
    options.window.reset();
    Session session = model.session(options);
    const std::string text = "12:00 job 7 done\n12:01 job 8 done\n12:02 job 9 done\n";
    session.learn(text);
    const std::string file = (std::filesystem::temp_directory_path() / "bitttt-output.memory").string();
    session.save_memory(file);
    Session loaded = model.session(options);
    loaded.load_memory(file);
    std::filesystem::remove(file);
    Session copy = session.fork();
    std::vector<float> logits = session.feed({5});
    expect(copy.feed({5}) == logits && loaded.feed({5}) == logits, "a fork and a loaded memory know the same");
    session.reset();
    expect(session.describe().find("\"output_memory\":{\"tokens\":0,") == std::string::npos, "it is kept");
    session.reset_output();
    expect(session.describe().find("\"output_memory\":{\"tokens\":0,") != std::string::npos, "it is emptied");
    options.output_memory = "much";
    expect_error(1, "a memory at the output is standard or counts", [&] { model.session(options); });
}

static void threads(const Model &model) {
    std::vector<std::string> written(8);
    std::vector<std::thread> all;
    for (std::string &text : written) {
        all.emplace_back([&] {
            Options options;
            options.max_new_tokens = 30;
            text = model.session().generate("One day", options);
        });
    }
    for (std::thread &thread : all) {
        thread.join();
    }
    for (const std::string &text : written) {
        expect(!text.empty() && text == written[0], "eight threads write the same");
    }
}

int main(int count, char **arguments) {
    expect(count == 2, "one argument");
    std::string folder = arguments[1];
    bitttt::init();
    {
        Model model;
        std::string text = "Once upon a time, Zoë saw a 🐈.";
        expect(model.decode(model.encode(text)) == text, "the text comes back");
        expect(model.describe().find("stories-256x4") != std::string::npos, "description");
        texts(model);
        memories(model, folder);
        output_memory(model);
        threads(model);
    }
    expect_error(3, "neither a model folder", [] { Model("no-such-model"); });
    expect_error(3, "model.safetensors", [&] { Model model(folder + "/truncated"); });
    std::vector<float> rows(6 * 64);
    for (std::size_t i = 0; i < rows.size(); i++) {
        rows[i] = std::sin(static_cast<float>(i));
    }
    TttLayer layer(64, 0.1f, 3);
    std::vector<float> output = layer.forward(rows);
    expect(std::vector<float>(output.begin(), output.begin() + 64) == std::vector<float>(rows.begin(), rows.begin() + 64),
           "an empty memory at first");
    expect(TttLayer(64, 0.1f, 3).forward(rows) == output && output != rows, "same seed, same output");
    expect_error(1, "hidden_dim must be", [] { TttLayer(3, 0.1f); });
    expect_refusal("rows must hold whole rows of 64, got 63 numbers", [&] { layer.forward(std::vector<float>(63)); });
    bitttt::shutdown();
    std::cout << "ok\n";
}
