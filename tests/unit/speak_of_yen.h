// A bank that speaks of another currency than it was asked in.
#pragma once

#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "bank/v1/bank.pb.h"

namespace atm {

// Says of every amount of a message that it is of yen.
inline void speak_of_yen(google::protobuf::Message& message) {
  if (message.GetDescriptor() == ::bank::v1::Money::descriptor()) {
    static_cast<::bank::v1::Money&>(message).set_currency("JPY");
    return;
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || field->is_repeated()) continue;
    speak_of_yen(*message.GetReflection()->MutableMessage(&message, field));
  }
}

}  // namespace atm
