// Commands for any server of ours, whatever it serves: call, describe, health.
#pragma once

#include <optional>
#include <string>

#include "async/endpoint.h"
#include "bankctl/operator_calls.h"
#include "ops/options.h"

namespace bankctl {

// Owned by main; must outlive the run of the command line that it was added to.
class GenericCommands {
 public:
  explicit GenericCommands(const Settings& settings) : settings_(settings) {}
  void add(ops::Command& root);

 private:
  int call() const;
  int describe() const;
  int health() const;

  const Settings& settings_;
  async::Endpoint server_ = async::Endpoint::parse("127.0.0.1:7001");
  std::optional<async::Endpoint> health_server_;
  std::string method_;
  std::optional<std::string> request_;
  std::optional<std::string> described_method_;
};

}  // namespace bankctl
