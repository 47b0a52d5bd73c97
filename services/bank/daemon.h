// What bankd does: serve, verify.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "async/endpoint.h"
#include "ops/daemon.h"

namespace bank {

inline const async::Endpoint bank_endpoint_default = async::Endpoint::parse("127.0.0.1:7001");

struct ServeOptions {
  std::filesystem::path data;
  std::vector<async::Endpoint> listen = {bank_endpoint_default};
  std::string currency = "EUR";
  ops::DaemonOptions daemon;
};

// What is wrong with these, if anything is.
std::optional<ops::Mistake> mistake_in(const ServeOptions& options);

// Wires the bank together and serves until SIGTERM. Requires mistake_in(options) == std::nullopt.
// `line` is read again at SIGHUP. Returns the exit status; throws what stops it: ops::Failure when a
// file cannot be made, StorageError when the disk fails, IoError when an address is taken.
int serve(ops::CommandLine& line, const ServeOptions& options);

// Goes through a bank's database, or a backup of one, from its first row, and prints what was found
// to be sound. Returns the exit status; throws StorageError that names the first row that is not.
int verify(const std::filesystem::path& data);

}  // namespace bank
