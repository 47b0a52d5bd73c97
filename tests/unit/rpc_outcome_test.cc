// An OK response that says neither yes nor no, for every method of the protocol.

#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "atm/v1/staff.pb.h"
#include "bank/v1/operator.pb.h"
#include "loop_fixture.h"
#include "rpc_client_kit.h"

namespace rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::OneofDescriptor;
using testing::HasSubstr;

std::vector<const MethodDescriptor*> unary_methods() {
  std::vector<const MethodDescriptor*> methods;
  for (const auto* file : {bank::v1::HoldRequest::descriptor()->file(),
                           bank::v1::OpenAccountRequest::descriptor()->file(),
                           atm::v1::WithdrawRequest::descriptor()->file(),
                           atm::v1::LoadRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      const MethodDescriptor* const method = file->service(0)->method(i);
      if (!method->server_streaming()) methods.push_back(method);
    }
  }
  return methods;
}

std::unique_ptr<Message> new_message(const Descriptor* type) {
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory->GetPrototype(type)->New());
}

class OutcomeTest : public ClientTest {
 protected:
  OutcomeTest() { start(); }

  // How a call of this method ends that is answered OK with this body.
  Status answered_with(const MethodDescriptor& method, const std::string& body) {
    v1::Response ok;
    ok.set_body(body);
    return answered(method, std::move(ok));
  }
  Status answered(const MethodDescriptor& method, v1::Response response_to_it) {
    const std::string name = method.service()->full_name() + "/" + method.name();
    const std::unique_ptr<Message> request = new_message(method.input_type());
    const std::unique_ptr<Message> response = new_message(method.output_type());
    async::Running<Status> running(exchange(&*client, name, request.get(), response.get()));
    loop.settle();
    response_to_it.set_id(requests().back().id());
    answer(response_to_it);
    return running.result();
  }

 private:
  async::Task<Status> exchange(Client* through, std::string name, const Message* request,
                               Message* response) {
    Context context(loop.in(1s));
    detail::OutgoingCall call = through->exchange(name, *request, *response, std::move(context));
    co_return co_await call;
  }
};

TEST_F(OutcomeTest, EveryChangeCanBeAnsweredYesAndNo) {
  for (const MethodDescriptor* method : unary_methods()) {
    if (method->input_type()->FindFieldByName("id") == nullptr) continue;
    EXPECT_NE(method->output_type()->FindOneofByName("outcome"), nullptr) << method->full_name();
  }
}

TEST_F(OutcomeTest, AnAnswerThatSaysNeitherYesNorNoIsUnknownWhateverTheMethod) {
  const std::string from_a_later_version("\x7a\x00", 2);  // Field 15.
  int with_outcome = 0;
  for (const MethodDescriptor* method : unary_methods()) {
    const bool has_outcome = method->output_type()->FindOneofByName("outcome") != nullptr;
    if (has_outcome) ++with_outcome;
    for (const std::string& body : {std::string(), from_a_later_version}) {
      const Status status = answered_with(*method, body);
      EXPECT_EQ(outcome_unknown(status), has_outcome) << method->full_name() << status.text();
      EXPECT_EQ(status.bad_answer, has_outcome) << method->full_name();
      EXPECT_EQ(status.is_ok(), !has_outcome) << method->full_name();
    }
  }
  EXPECT_GT(with_outcome, 35);
}

TEST_F(OutcomeTest, AnAnswerThatSaysEitherIsOneWhateverItLeavesOut) {
  for (const MethodDescriptor* method : unary_methods()) {
    const OneofDescriptor* const outcome = method->output_type()->FindOneofByName("outcome");
    for (int i = 0; outcome != nullptr && i < outcome->field_count(); ++i) {
      const FieldDescriptor* const said = outcome->field(i);
      const std::unique_ptr<Message> body = new_message(method->output_type());
      body->GetReflection()->MutableMessage(body.get(), said);
      const Status status = answered_with(*method, body->SerializeAsString());
      EXPECT_TRUE(status.is_ok()) << said->full_name() << " " << status.text();
    }
  }
}

TEST_F(OutcomeTest, AnOkWithoutABodyIsOfAnotherProtocolWhateverTheMethod) {
  for (const MethodDescriptor* method : unary_methods()) {
    const Status status = answered(*method, v1::Response());  // 08 01: the adder's sum 1.
    EXPECT_TRUE(status.bad_answer) << method->full_name();
    EXPECT_TRUE(outcome_unknown(status)) << method->full_name();
  }
}

TEST_F(OutcomeTest, AStreamThatEndsWithoutABodyIsOfAnotherProtocol) {
  calls.count(*client, counting_to(3), loop.in(1s));
  loop.settle();
  v1::Response end;
  end.set_id(requests().back().id());
  answer(end);
  EXPECT_THAT(calls.take(), testing::ElementsAre("INTERNAL"));
}

TEST_F(OutcomeTest, TheStatusNamesTheAnswerThatSaysNothing) {
  const auto& method = *bank::v1::HoldRequest::descriptor()->file()->service(0);
  const Status status = answered_with(*method.FindMethodByName("Hold"), "");
  EXPECT_EQ(status.code, StatusCode::internal);
  EXPECT_THAT(status.message, HasSubstr("bank.v1.HoldResponse says neither yes nor no"));
}

}  // namespace
}  // namespace rpc
