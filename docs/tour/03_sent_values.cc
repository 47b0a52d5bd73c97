// The same duet, but each singer hears what the other sang: values go into a generator, too.

#include <cstdio>
#include <string>

#include "async/generator.h"

using async::Generator;

namespace {

Generator<std::string, std::string> annie() {
  std::string heard = co_yield "Annie: Whatever you do, I can do it better.";
  while (heard != "Frank: All right, you can.") {
    heard = co_yield "Annie: Yes, I can! (He sang: " + heard.substr(7) + ")";
  }
  co_yield "Annie: You see?";
}

Generator<std::string, std::string> frank() {
  co_yield "";  // He listens first.
  co_yield "Frank: No, you can't.";
  co_yield "Frank: No, you can't, you can't!";
  co_yield "Frank: All right, you can.";
}

}  // namespace

int main() {
  Generator<std::string, std::string> first = annie();
  Generator<std::string, std::string> second = frank();
  std::optional<std::string> line = first.next();
  second.next();
  for (bool annie_next = false; line; annie_next = !annie_next) {
    std::puts(line->c_str());
    line = annie_next ? first.send(*line) : second.send(*line);
  }
}
