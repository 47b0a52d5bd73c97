// A bank in a test whose history goes back, and the ATM that has seen more of it.
#pragma once

#include "atm_fixture.h"

namespace atm {

class AtmHistoryTest : public testing::Test {
 protected:
  AtmHistoryTest() { house.load(1, 20, 10); }

  void restore(const AtmBank::State& backup) {
    house.bank.close();
    house.bank.state = backup;
    house.bank.open();
    house.pass(10s);
  }
  // And it has made more changes than that backup lacked, before the ATM sees it.
  void restore_and_grow(AtmBank::State backup) {
    for (int i = 0; i < 5; ++i) backup.heads.push_back("another life " + std::to_string(i));
    restore(backup);
  }
  // The backup lacks a deposit of 50 and has grown past it; the second terminal's sign-on is not
  // answered.
  void begin_to_sign_two_on_after_a_backup() {
    house.terminals = 2;
    house.restart();
    house.pass(3s);
    const AtmBank::State backup = house.bank.state;
    house.insert("4000-jane", "1234", "atm-1");
    house.deposit(house.new_id(), 50, 1);
    house.bank.ignored_terminals = {"atm-2"};
    restore_and_grow(backup);
  }
  // The second terminal, after a backup that lacks its load.
  AtmBank::State load_a_terminal_and_remove_it() {
    house.terminals = 2;
    house.restart();
    house.pass(3s);
    AtmBank::State backup = house.bank.state;
    v1::LoadRequest load = AtmHouse::load_of(house.new_id(), 1, 20, 5);
    load.set_terminal_id("atm-2");
    house.call(load_method, std::move(load));
    house.pass(3s);
    house.terminals = 1;
    house.restart();
    house.pass(3s);
    return backup;
  }
  // A deposit of 100, after the last sign-on that was answered, which the bank refuses whenever it is
  // asked; returns a backup of before.
  AtmBank::State refuse_a_deposit(wire::RefusalCode code) {
    house.pass(3s);
    house.insert();
    house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
    house.deposit(house.new_id(), 50, 2, 4s);
    house.pass(3s);
    AtmBank::State backup = house.bank.state;
    house.bank.ignored_terminals = {"atm-1"};
    house.bank.moods = {{"Deposit", Mood::refuses}};
    house.bank.refusal["Deposit"] = code;
    house.pass(60s);
    EXPECT_EQ(house.exceptions().size(), 1U);
    house.bank.moods.clear();
    house.bank.ignored_terminals.clear();
    return backup;
  }
  // A backup, and then Jane's deposit of 50, which it lacks.
  AtmBank::State deposit_after_a_backup() {
    house.pass(3s);
    AtmBank::State backup = house.bank.state;
    house.insert();
    house.deposit(house.new_id(), 50, 1);
    return backup;
  }
  static v1::AcceptBankHistoryRequest accepting() {
    v1::AcceptBankHistoryRequest request;
    request.set_reason("restored yesterday's backup");
    return request;
  }
  v1::AcceptBankHistoryResponse accept_and_hear() {
    return house.call(accept_history_method, accepting());
  }
  // How many items the bank was told again.
  std::uint32_t accept() { return accept_and_hear().items_sent_again(); }
  bool log_says(std::string_view level, std::string_view message, std::string_view field) const {
    const std::size_t at = house.log.find(message);
    if (at == std::string::npos) return false;
    const std::size_t begin = house.log.rfind('\n', at) + 1;
    const std::string line = house.log.substr(begin, house.log.find('\n', at) - begin);
    return line.find(level) != std::string::npos && line.find(field) != std::string::npos;
  }
  wire::HoldState state_of_the_hold() const {
    return house.bank.state.holds.empty() ? wire::HOLD_STATE_UNSPECIFIED
                                          : house.bank.state.holds.begin()->second.state;
  }
  // Jane asks for 60, the dispenser cannot say what it did, and the bank does not hear of that yet.
  OperationId lose_sixty() {
    house.insert();
    house.bank.moods["Suspend"] = Mood::silent;
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
    const OperationId id = house.new_id();
    EXPECT_TRUE(house.withdraw(id, 60).has_suspense());
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
    house.pass(3s);
    return id;
  }
  // And returns the bank's state with the suspended hold, when a backup that lacks it is restored.
  AtmBank::State lose_sixty_to_a_backup_without_its_hold() {
    house.pass(3s);
    const AtmBank::State backup = house.bank.state;
    lose_sixty();
    house.bank.moods.clear();
    house.pass(10s);
    EXPECT_EQ(state_of_the_hold(), wire::HOLD_STATE_SUSPENDED);
    AtmBank::State later = house.bank.state;
    restore(backup);
    EXPECT_EQ(house.exceptions().size(), 1U);
    return later;
  }

  AtmHouse house;
};

}  // namespace atm
