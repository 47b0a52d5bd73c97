// protobuf writes to stderr when it reads text that is not UTF-8. Here that is a peer's mistake,
// answered with a status.
#pragma once

namespace rpc::detail {

// For the whole process, once; any thread.
void silence_protobuf();

}  // namespace rpc::detail
