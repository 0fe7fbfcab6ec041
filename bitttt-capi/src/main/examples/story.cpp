// Tells a story: c++ -std=c++17 story.cpp -I.. -L.. -lbitttt -Wl,-rpath,'$ORIGIN/..' -o story && ./story "Once upon a time"
#include "bitttt.hpp"

#include <iostream>

int main(int count, char **arguments) {
    std::string prompt = count > 1 ? arguments[1] : "Once upon a time";
    try {
        bitttt::Model model;
        bitttt::Session session = model.session();
        bitttt::Options options;
        options.max_new_tokens = 200;
        std::cout << prompt;
        session.generate(prompt, options, [](std::string_view piece) {
            std::cout << piece << std::flush;
            return true;
        });
        std::cout << "\n";
    } catch (const bitttt::Error &error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
