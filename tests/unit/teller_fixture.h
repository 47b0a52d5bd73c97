// A customer before a scripted ATM, on a loop whose time the test drives.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/manual_loop.h"
#include "async/random.h"
#include "cli/caller.h"
#include "loop_fixture.h"
#include "scripted_atm.h"
#include "teller/customer.h"
#include "teller/pending.h"
#include "temporary_directory.h"

namespace teller {

// Nobody presses Ctrl-C, until the test does.
class ScriptedInterrupts final : public cli::Interrupts {
 public:
  explicit ScriptedInterrupts(async::Loop& loop) : pressed_(loop) {}
  void press() { pressed_.set(); }
  async::Task<int> next() override {
    co_await pressed_;
    co_return 2;
  }

 private:
  async::Event pressed_;
};

class TellerFixture : public testing::Test {
 protected:
  TellerFixture() { arrive(); }
  ~TellerFixture() override {
    leave();
    atm.close();
    loop.settle();
  }

  // A new command of the same customer: everything anew but the disk.
  void arrive() {
    leave();
    client.emplace(loop, cli::client_options(async::Endpoint::parse("atm:7002")), random);
    pending.emplace(directory.path(), "4000000000000010");
    customer.emplace(loop, *client, random, *pending,
                     CustomerOptions{.terminal = "", .card = "4000000000000010"});
  }
  void leave() {
    customer.reset();
    pending.reset();
    client.reset();
  }

  // Runs a task to its end, letting as much time pass as it needs.
  template <typename T>
  T finish(async::Task<T> task) {
    async::Running<T> running(std::move(task));
    for (int i = 0; i < 2000 && !running.is_done(); ++i)
      loop.advance(std::chrono::milliseconds(50));
    return running.result();
  }
  void insert_card() {
    const auto inserted = finish(customer->insert_card("1234"));
    ASSERT_TRUE(inserted);
    ASSERT_TRUE(inserted->has_session());
  }
  // What is remembered on the disk.
  std::vector<std::filesystem::path> pending_files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().extension() != ".lock") files.push_back(entry.path());
    }
    return files;
  }
  static bank::v1::Money euros(std::int64_t amount) {
    bank::v1::Money money;
    money.set_minor_units(amount * 100);
    money.set_currency("EUR");
    return money;
  }

  async::ManualLoop loop;
  async::SeededRandom random{1};
  testkit::TemporaryDirectory directory;
  ScriptedAtm atm{loop};
  ScriptedInterrupts interrupts{loop};
  std::optional<rpc::Client> client;
  std::optional<PendingFiles> pending;
  std::optional<Customer> customer;
};

}  // namespace teller
