// What happened in many runs, together.
#include "simulation.h"

namespace sim {

Tally& Tally::operator+=(const Tally& other) {
  crashes += other.crashes;
  power_cuts += other.power_cuts;
  disk_errors += other.disk_errors;
  cuts += other.cuts;
  paid += other.paid;
  declined += other.declined;
  suspended += other.suspended;
  deposits += other.deposits;
  transfers += other.transfers;
  changes_of_pin += other.changes_of_pin;
  emptyings += other.emptyings;
  restores += other.restores;
  rewinds += other.rewinds;
  odd_answers += other.odd_answers;
  records += other.records;
  observed += other.observed;
  return *this;
}

}  // namespace sim
