#include "rpc/quiet.h"

#include <google/protobuf/stubs/logging.h>

namespace rpc::detail {

void silence_protobuf() {
  static google::protobuf::LogHandler* const before = google::protobuf::SetLogHandler(nullptr);
  (void)before;
}

}  // namespace rpc::detail
