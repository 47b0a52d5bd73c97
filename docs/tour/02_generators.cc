// A duet by two generators. A loop of a few lines takes them in turn.

#include <deque>
#include <iostream>
#include <optional>
#include <string>

#include "async/generator.h"

using async::Generator;

namespace {

Generator<std::string> annie() {
  co_yield "Whatever you do, I can do it better.";
  co_yield "Oh yes, I can.";
  co_yield "Yes, I can!";
}

Generator<std::string> frank() {
  co_yield "No, you can't.";
  co_yield "No, you can't!";
}

}  // namespace

int main() {
  std::deque<Generator<std::string>> singers;
  singers.push_back(annie());
  singers.push_back(frank());
  while (!singers.empty()) {
    Generator<std::string> singer = std::move(singers.front());
    singers.pop_front();
    const std::optional<std::string> line = singer.next();
    if (!line) continue;  // Has sung everything.
    std::cout << *line << '\n';
    singers.push_back(std::move(singer));
  }
}
