// What a bank says that cannot be.
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

// Says of what was done no number, of what was refused no reason, and of a bank no name.
inline void say_no_number(google::protobuf::Message& answer) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  answer.GetReflection()->ListFields(answer, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || field->is_repeated()) continue;
    google::protobuf::Message& said = *answer.GetReflection()->MutableMessage(&answer, field);
    for (const char* name : {"ledger_seq", "code", "instance_id"}) {
      const auto* const lost = said.GetDescriptor()->FindFieldByName(name);
      if (lost != nullptr) said.GetReflection()->ClearField(&said, lost);
    }
  }
}

}  // namespace atm
