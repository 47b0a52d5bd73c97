// The same duet, but each singer hears what the other sang: values go into a generator, too.

#include <iostream>
#include <optional>
#include <string>

#include "async/generator.h"

using async::Generator;

namespace {

Generator<std::string, std::string> annie() {
  std::string heard = co_yield "Whatever you do, I can do it better.";
  while (heard != "All right, you can.") heard = co_yield "Yes, I can!";
  co_yield "You see?";
}

Generator<std::string, std::string> frank() {
  std::string heard = co_yield "";  // He listens first.
  int patience = 2;
  while (patience-- > 0) heard = co_yield "\"" + heard + "\"? No, you can't.";
  co_yield "All right, you can.";
}

}  // namespace

int main() {
  Generator<std::string, std::string> her = annie();
  Generator<std::string, std::string> him = frank();
  std::optional<std::string> line = her.next();
  him.next();
  for (bool is_his_turn = true; line; is_his_turn = !is_his_turn) {
    std::cout << *line << '\n';
    line = is_his_turn ? him.send(*line) : her.send(*line);
  }
}
