// adderd: serves the adder until SIGTERM.

#include <vector>

#include "adder/server.h"
#include "async/uv_loop.h"
#include "ops/daemon.h"
#include "ops/files.h"
#include "ops/options.h"

namespace {

struct Options {
  std::vector<async::Endpoint> listen;
  ops::DaemonOptions daemon;
};

async::Task<> stop(adder::Server* server) {
  server->stop();
  co_return;
}

int serve(ops::CommandLine& line, const Options& options) {
  const ops::Log log = ops::start_logging(line, options.daemon);
  async::UvLoop loop;
  adder::Server server(loop);
  std::vector<async::Endpoint> listening;
  for (const async::Endpoint& endpoint : options.listen) {
    for (async::Listener& listener : loop.listen_on_all(endpoint)) {
      listening.push_back(listener.local());
      server.serve(std::move(listener));
    }
  }
  const auto ready = [&] { return ops::write_ready_file(options.daemon.ready_file, listening); };
  const auto drain = [&server] { return stop(&server); };
  ops::serve_until_signalled(loop, log, {.drain = drain, .reload = {}, .ready = ready});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ops::CommandLine line({.program = "adderd",
                         .summary = "Adds two numbers for whoever asks.",
                         .prefix = "ADDERD_",
                         .config_file_default = {},
                         .endings = {}});
  Options options;
  ops::Command& root = line.root();
  root.example("adderd --listen 127.0.0.1:7000");
  root.option("listen", options.listen, "HOST:PORT", "Where to listen; may be given again")
      .required();
  ops::add_daemon_options(root, options.daemon);
  root.run([&] { return serve(line, options); });
  return line.run(argc, argv);
}
