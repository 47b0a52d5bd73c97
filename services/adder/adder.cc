// adder: asks an adder for a sum and prints it.

#include <chrono>
#include <cstdint>
#include <iostream>

#include "adder/client.h"
#include "async/uv_loop.h"
#include "ops/failure.h"
#include "ops/options.h"

namespace {

struct Options {
  async::Endpoint connect = async::Endpoint::parse("127.0.0.1:7000");
  async::Duration timeout = std::chrono::seconds(5);
  std::int64_t left = 0;
  std::int64_t right = 0;
};

int add(const Options& options) {
  async::UvLoop loop;
  adder::v1::AddRequest request;
  request.set_left(options.left);
  request.set_right(options.right);
  const adder::v1::AddResponse response =
      loop.run(adder::ask(loop, options.connect, request, loop.in(options.timeout)));
  if (!response.error().empty()) {
    throw ops::Failure(ops::ExitCode::bad_data, response.error());
  }
  std::cout << response.sum() << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ops::CommandLine line({.program = "adder",
                         .summary = "Adds two numbers with the help of an adderd.",
                         .prefix = "ADDER_",
                         .config_file_default = {},
                         .endings = {}});
  Options options;
  ops::Command& root = line.root();
  root.example("adder --connect 127.0.0.1:7000 3 4");
  root.option("connect", options.connect, ops::a_server(), "HOST:PORT", "Where the adderd listens");
  root.option("timeout", options.timeout, ops::a_wait(), "DURATION",
              "How long to wait for the answer");
  root.argument("LEFT", options.left, "A whole number");
  root.argument("RIGHT", options.right, "Another");
  root.run([&options] { return add(options); });
  return line.run(argc, argv);
}
