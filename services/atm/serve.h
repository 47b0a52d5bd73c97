// serve: atmd in the real world.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "async/endpoint.h"
#include "atm/notes.h"
#include "ops/daemon.h"

namespace atm {

struct ServeOptions {
  std::vector<async::Endpoint> bank;
  std::vector<async::Endpoint> listen = {async::Endpoint::parse("127.0.0.1:7002")};
  std::filesystem::path data;
  std::vector<std::string> terminals = {"atm-1"};
  std::string currency = "EUR";
  std::vector<std::string> denominations;  // Empty: the currency's usual ones.
  async::Duration hold_time = std::chrono::minutes(2);
  async::Duration session_idle_time = std::chrono::seconds(60);
  ops::DaemonOptions daemon;
};

// What is wrong with these, if anything is.
std::optional<ops::Mistake> mistake_in(const ServeOptions& options);

// Serves until SIGTERM. Requires mistake_in(options) == std::nullopt. Returns the exit code; throws
// ops::Failure when the data are of an ATM with other settings or a file cannot be made,
// StorageError when the disk fails, async::IoError when an address is taken.
int serve(ops::CommandLine& line, const ServeOptions& options);

}  // namespace atm
