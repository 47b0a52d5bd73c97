#include "ledger/private_index.h"

namespace ledger {

PrivateIndex::PrivateIndex(sqlite3_file& database) : sqlite3_io_methods(*database.pMethods) {
  xShmMap = map;
  // Nobody else is there.
  xShmLock = [](sqlite3_file*, int, int, int) { return SQLITE_OK; };
  xShmBarrier = [](sqlite3_file*) {};
  xShmUnmap = [](sqlite3_file*, int) { return SQLITE_OK; };
  database.pMethods = this;
}

int PrivateIndex::map(sqlite3_file* file, int region, int size, int extend,
                      void volatile** memory) {
  auto& that = *static_cast<PrivateIndex*>(const_cast<sqlite3_io_methods*>(file->pMethods));
  const auto place = static_cast<std::size_t>(region);
  *memory = nullptr;
  if (place >= that.regions_.size() && extend == 0) return SQLITE_OK;
  while (place >= that.regions_.size()) {
    that.regions_.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(size)));
  }
  *memory = that.regions_[place].get();
  return SQLITE_OK;
}

}  // namespace ledger
