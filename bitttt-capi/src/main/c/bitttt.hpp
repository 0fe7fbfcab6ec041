// bitttt for C++17: models, sessions and layers that free themselves, errors as exceptions.
//
// Link with libbitttt. Objects can be moved, not copied; a session is for one thread at a time.
#ifndef BITTTT_HPP
#define BITTTT_HPP

#include "bitttt.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iomanip>
#include <locale>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bitttt {

/// What the library answered: its code, as in bitttt.h, and its text.
class Error : public std::runtime_error {
public:
    explicit Error(int code) : std::runtime_error(bitttt_last_error()), code_(code), file_errno_(bitttt_last_errno()) {}

    int code() const noexcept { return code_; }

    /// Why a file could not be used, as errno.h numbers it, such as ENOENT; else 0.
    int file_errno() const noexcept { return file_errno_; }

private:
    int code_;
    int file_errno_;
};

inline void check(int code) {
    if (code != BITTTT_OK) {
        throw Error(code);
    }
}

/// Starts Java, which any first call does as well.
inline void init(const char *java_home = nullptr, const char *options = nullptr) {
    check(bitttt_init(java_home, options));
}

/// Frees all handles; later calls work again.
inline void shutdown() {
    check(bitttt_shutdown());
}

namespace internal {

/// The text that a function writes to a buffer, however long it is.
template <typename Function>
std::string text_of(Function function) {
    std::string text(255, '\0');
    std::size_t length = 0;
    // A string has room for the NUL behind its end.
    int code = function(text.data(), text.size() + 1, &length);
    if (code == BITTTT_ERROR_BUFFER) {
        text.resize(length);
        code = function(text.data(), text.size() + 1, &length);
    }
    check(code);
    text.resize(length);
    return text;
}

/// A text for C, which ends strings at the first NUL.
inline const char *c_string(const char *what, const std::string &text) {
    if (text.find('\0') != std::string::npos) {
        throw std::invalid_argument(std::string(what) + " cannot hold a NUL, got " + text.c_str() + "\\0...");
    }
    return text.c_str();
}

/// A handle that is freed once.
template <int (*Free)(int64_t)>
class Handle {
public:
    explicit Handle(int64_t value) noexcept : value_(value) {}
    Handle(Handle &&other) noexcept : value_(std::exchange(other.value_, 0)) {}
    Handle &operator=(Handle &&other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Handle() {
        if (value_ != 0) {
            Free(value_);
        }
    }

    int64_t get() const noexcept { return value_; }

private:
    int64_t value_;
};

/// A text as JSON writes it.
inline std::string quoted(const std::string &text) {
    static const char *const digits = "0123456789abcdef";
    std::string json = "\"";
    for (char c : text) {
        if (static_cast<unsigned char>(c) < 0x20) {
            json += std::string("\\u00") + digits[c >> 4] + digits[c & 15];
        } else {
            json += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        }
    }
    return json + "\"";
}

template <typename Function, typename... Arguments>
int64_t new_handle(Function function, Arguments... arguments) {
    int64_t handle = 0;
    check(function(arguments..., &handle));
    return handle;
}

} // namespace internal

/// The versions of library and Java.
inline std::string version() {
    return internal::text_of(bitttt_version);
}

/// Which kernels run, and why.
inline std::string kernels() {
    return internal::text_of(bitttt_kernels);
}

/// How a text is written, by the names that bitttt.h explains; what is empty is as the model says.
struct Options {
    std::optional<double> temperature;
    std::optional<std::int32_t> top_k;
    std::optional<double> top_p;
    std::optional<double> repetition_penalty;
    std::optional<double> sequence_penalty;
    std::optional<std::int64_t> seed;
    std::optional<std::int32_t> max_new_tokens;
    std::vector<std::string> stop;
    std::vector<std::int32_t> eos_token_id;
    std::optional<bool> echo;
    /// Whether the prompt is a JSON array of messages, [{"role": "user", "content": "Hello"}], which the chat format writes.
    std::optional<bool> messages;

    /// The JSON object of the C functions.
    std::string json() const {
        std::string members;
        const auto add = [&members](const char *name, const std::string &value) {
            members += (members.empty() ? "\"" : ", \"") + std::string(name) + "\": " + value;
        };
        const auto number = [&add](const char *name, const auto &value) {
            if (value) {
                if (!std::isfinite(static_cast<double>(*value))) {
                    throw std::invalid_argument(std::string(name) + " must be finite");
                }
                std::ostringstream text;
                text.imbue(std::locale::classic());
                text << std::setprecision(17) << *value;
                add(name, text.str());
            }
        };
        number("temperature", temperature);
        number("top_k", top_k);
        number("top_p", top_p);
        number("repetition_penalty", repetition_penalty);
        number("sequence_penalty", sequence_penalty);
        number("seed", seed);
        number("max_new_tokens", max_new_tokens);
        std::string list;
        for (const std::string &text : stop) {
            list += (list.empty() ? "" : ", ") + internal::quoted(text);
        }
        if (!stop.empty()) {
            add("stop", "[" + list + "]");
        }
        list.clear();
        for (std::int32_t id : eos_token_id) {
            list += (list.empty() ? "" : ", ") + std::to_string(id);
        }
        if (!eos_token_id.empty()) {
            add("eos_token_id", "[" + list + "]");
        }
        if (echo) {
            add("echo", *echo ? "true" : "false");
        }
        if (messages) {
            add("messages", *messages ? "true" : "false");
        }
        return "{" + members + "}";
    }
};

/// What a session is opened with, by the names that bitttt.h explains.
struct SessionOptions {
    /// "standard" or "counts"; empty for none.
    std::string output_memory;
    std::optional<std::int32_t> window;

    /// The JSON object of the C functions.
    std::string json() const {
        std::string members = output_memory.empty() ? "" : "\"output_memory\": " + internal::quoted(output_memory);
        if (window) {
            members += (members.empty() ? "" : ", ") + std::string("\"window\": ") + std::to_string(*window);
        }
        return "{" + members + "}";
    }
};

/// Why a text ended.
enum class End { text = BITTTT_END_OF_TEXT, limit = BITTTT_END_LIMIT, cancelled = BITTTT_END_CANCELLED, stop_text = BITTTT_END_STOP_TEXT };

/// A reader of a model: its memory learns from every token and stays the same size for ever.
class Session {
public:
    /// A copy that knows the same and then learns by itself.
    Session fork() const { return Session(internal::new_handle(bitttt_session_fork, handle_.get()), vocabulary_); }

    /// Forgets everything but what a memory at the output has learned.
    void reset() { check(bitttt_session_reset(handle_.get())); }

    /// Empties the memory at the output, and that alone.
    void reset_output() { check(bitttt_session_reset_output(handle_.get())); }

    void save_memory(const std::string &file) const { check(bitttt_session_save_memory(handle_.get(), internal::c_string("file", file))); }

    /// Goes on from a memory of the same model.
    void load_memory(const std::string &file) { check(bitttt_session_load_memory(handle_.get(), internal::c_string("file", file))); }

    /// JSON: position, memory_norms, and output_memory if there is one.
    std::string describe() const {
        return internal::text_of([this](char *buffer, std::size_t capacity, std::size_t *length) {
            return bitttt_session_describe(handle_.get(), buffer, capacity, length);
        });
    }

    /// Reads at least one token; the logits of the next one.
    std::vector<float> feed(const std::vector<int32_t> &ids) {
        std::vector<float> logits(vocabulary_);
        check(bitttt_session_feed(handle_.get(), ids.data(), ids.size(), logits.data(), logits.size()));
        return logits;
    }

    /// Reads a text for the sake of the memory; the number of its tokens.
    std::size_t learn(std::string_view text) {
        std::size_t tokens = 0;
        check(bitttt_session_learn(handle_.get(), text.data(), text.size(), &tokens));
        return tokens;
    }

    /// Ends what this session is generating or learning; from any thread.
    void cancel() const { check(bitttt_session_cancel(handle_.get())); }

    /// Goes on with a text; the function hears each piece and says whether it wants more. What it throws comes out here.
    End generate(std::string_view prompt, const Options &options, std::function<bool(std::string_view)> piece) {
        Listener listener{std::move(piece), nullptr};
        int end = 0;
        int code = bitttt_generate(handle_.get(), prompt.data(), prompt.size(), options.json().c_str(), &Session::hear,
                                   &listener, &end);
        if (listener.thrown) {
            std::rethrow_exception(listener.thrown);
        }
        check(code);
        return static_cast<End>(end);
    }

    /// The whole text that follows a prompt.
    std::string generate(std::string_view prompt, const Options &options = {}) {
        std::string text;
        generate(prompt, options, [&text](std::string_view piece) {
            text += piece;
            return true;
        });
        return text;
    }

private:
    friend class Model;

    struct Listener {
        std::function<bool(std::string_view)> piece;
        std::exception_ptr thrown;
    };

    Session(int64_t handle, std::size_t vocabulary) : handle_(handle), vocabulary_(vocabulary) {}

    // Exceptions do not pass through C.
    static int hear(const char *text, std::size_t length, void *user) noexcept {
        auto *listener = static_cast<Listener *>(user);
        try {
            return listener->piece({text, length}) ? 0 : 1;
        } catch (...) {
            listener->thrown = std::current_exception();
            return 1;
        }
    }

    internal::Handle<bitttt_session_free> handle_;
    std::size_t vocabulary_;
};

/// A model that is ready to run. Immutable, for any number of threads and sessions.
class Model {
public:
    /// Loads a model: a name of the zoo, or a folder.
    explicit Model(const std::string &name = "stories-256x4")
        : handle_(internal::new_handle(bitttt_model_load, internal::c_string("name", name))) {
        check(bitttt_model_vocabulary(handle_.get(), &vocabulary_));
    }

    /// The number of logits.
    std::size_t vocabulary() const noexcept { return vocabulary_; }

    /// JSON: name, config, generation_config, parameters, fingerprint, kernels.
    std::string describe() const {
        return internal::text_of([this](char *buffer, std::size_t capacity, std::size_t *length) {
            return bitttt_model_describe(handle_.get(), buffer, capacity, length);
        });
    }

    std::vector<int32_t> encode(std::string_view text) const {
        std::size_t count = 0;
        check(bitttt_encode(handle_.get(), text.data(), text.size(), nullptr, 0, &count));
        std::vector<int32_t> ids(count);
        check(bitttt_encode(handle_.get(), text.data(), text.size(), ids.data(), ids.size(), &count));
        return ids;
    }

    std::string decode(const std::vector<int32_t> &ids) const {
        return internal::text_of([&](char *buffer, std::size_t capacity, std::size_t *length) {
            return bitttt_decode(handle_.get(), ids.data(), ids.size(), buffer, capacity, length);
        });
    }

    /// A session with an empty memory.
    Session session() const {
        return Session(internal::new_handle(bitttt_session_new, handle_.get()), vocabulary_);
    }

    /// A session with a memory at the output, a window of attention, or both.
    Session session(const SessionOptions &options) const {
        return Session(internal::new_handle(bitttt_session_open, handle_.get(), options.json().c_str()), vocabulary_);
    }

private:
    internal::Handle<bitttt_model_free> handle_;
    std::size_t vocabulary_ = 0;
};

/// The one layer of the original engine: its memory learns from every row, anew in each forward.
class TttLayer {
public:
    TttLayer(std::size_t hidden_dim, float inner_lr) : TttLayer(hidden_dim, ttt_create(hidden_dim, inner_lr)) {}
    TttLayer(std::size_t hidden_dim, float inner_lr, uint64_t seed)
        : TttLayer(hidden_dim, ttt_create_seeded(hidden_dim, inner_lr, seed)) {}
    TttLayer(TttLayer &&other) noexcept : layer_(std::exchange(other.layer_, nullptr)), hidden_dim_(other.hidden_dim_) {}
    TttLayer &operator=(TttLayer &&other) noexcept {
        std::swap(layer_, other.layer_);
        std::swap(hidden_dim_, other.hidden_dim_);
        return *this;
    }
    ~TttLayer() { ttt_destroy(layer_); }

    /// Reads one text: whole rows of hidden_dim.
    std::vector<float> forward(const std::vector<float> &rows) {
        if (rows.size() % hidden_dim_ != 0) {
            throw std::invalid_argument("rows must hold whole rows of " + std::to_string(hidden_dim_) + ", got "
                                        + std::to_string(rows.size()) + " numbers");
        }
        std::vector<float> output(rows.size());
        if (!rows.empty()) {
            int code = ttt_forward(layer_, rows.data(), rows.size() / hidden_dim_, output.data());
            // 1 and 2 of the original are arguments.
            check(code == 2 ? static_cast<int>(BITTTT_ERROR_ARGUMENT) : code);
        }
        return output;
    }

private:
    TttLayer(std::size_t hidden_dim, void *layer) : layer_(layer), hidden_dim_(hidden_dim) {
        if (layer == nullptr) {
            throw Error(BITTTT_ERROR_ARGUMENT);
        }
    }

    void *layer_;
    std::size_t hidden_dim_;
};

} // namespace bitttt

#endif
