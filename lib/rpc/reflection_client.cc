#include "rpc/reflection_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/json_util.h>

#include "rpc/v1/reflection.pb.h"

namespace rpc {

namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constinit const Method<v1::ListServicesRequest, v1::ListServicesResponse> list_services_method{
    "rpc.v1.ReflectionService/ListServices"};
constinit const StreamMethod<v1::GetFilesRequest, v1::GetFilesResponse> get_files_method{
    "rpc.v1.ReflectionService/GetFiles"};

[[noreturn]] void refuse(StatusCode code, std::string message) {
  throw Error(Status{.code = code, .message = std::move(message), .never_sent = true});
}

std::string symbol_of(std::string method) {
  std::replace(method.begin(), method.end(), '/', '.');
  return method;
}

std::string wire_name(const MethodDescriptor& method) {
  return method.service()->full_name() + "/" + method.name();
}

// A message may hold others of its own kind.
constexpr int template_depth_max = 4;

// One of each message that a request may have, with its fields.
void make_messages_within(Message& message, int depth_max) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < type.field_count() && depth_max > 0; ++i) {
    const google::protobuf::FieldDescriptor* const field = type.field(i);
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    Message* const within = field->is_repeated() ? reflection.AddMessage(&message, field)
                                                 : reflection.MutableMessage(&message, field);
    make_messages_within(*within, depth_max - 1);
  }
}

std::string to_json(const Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    throw Error(StatusCode::internal, "the response has no JSON form: " + status.ToString());
  }
  return json;
}

}  // namespace

ReflectionClient::ReflectionClient(Channel& channel) : channel_(channel), messages_(&pool_) {}

async::Task<std::vector<std::string>> ReflectionClient::services(Context context) {
  const v1::ListServicesRequest request;
  const v1::ListServicesResponse response =
      co_await channel_.call(list_services_method, request, std::move(context));
  std::vector<std::string> names(response.services().begin(), response.services().end());
  co_return names;
}

async::Task<> ReflectionClient::fetch(std::string symbol, Context context) {
  v1::GetFilesRequest request;
  request.set_symbol(std::move(symbol));
  Responses<v1::GetFilesResponse> files =
      channel_.stream(get_files_method, std::move(request), std::move(context));
  while (true) {
    const std::optional<v1::GetFilesResponse> response = co_await files.next();
    if (!response) co_return;
    google::protobuf::FileDescriptorProto file;
    if (!file.ParseFromString(response->file())) {
      throw Error(StatusCode::internal, "the server sent a file that is no FileDescriptorProto");
    }
    if (pool_.FindFileByName(file.name()) != nullptr) continue;
    if (pool_.BuildFile(file) == nullptr) {
      throw Error(StatusCode::internal, "the server's " + file.name() + " does not fit together");
    }
  }
}

async::Task<std::vector<std::string>> ReflectionClient::methods(std::string service,
                                                                Context context) {
  if (pool_.FindServiceByName(service) == nullptr) co_await fetch(service, std::move(context));
  const ServiceDescriptor* const found = pool_.FindServiceByName(service);
  if (found == nullptr) refuse(StatusCode::not_found, service + " is not a service");
  std::vector<std::string> names;
  for (int i = 0; i < found->method_count(); ++i) names.push_back(wire_name(*found->method(i)));
  co_return names;
}

async::Task<const MethodDescriptor*> ReflectionClient::find(std::string method, Context context) {
  const std::string service = method.substr(0, method.find('/'));
  const std::vector<std::string> known = co_await methods(service, std::move(context));
  if (std::find(known.begin(), known.end(), method) == known.end()) {
    std::string sentence = service + " has no such method; it has";
    for (const std::string& name : known) sentence += " " + name.substr(service.size() + 1);
    refuse(StatusCode::unimplemented, std::move(sentence));
  }
  co_return pool_.FindMethodByName(symbol_of(std::move(method)));
}

std::string ReflectionClient::template_of(const MethodDescriptor& method) {
  google::protobuf::DynamicMessageFactory messages;
  const std::unique_ptr<Message> message(messages.GetPrototype(method.input_type())->New());
  make_messages_within(*message, template_depth_max);
  return to_json(*message, true);
}

std::unique_ptr<Message> ReflectionClient::request_of(const MethodDescriptor& method,
                                                      const std::string& json) {
  std::unique_ptr<Message> request(messages_.GetPrototype(method.input_type())->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, request.get());
  if (!parsed.ok()) {
    std::string why(parsed.message());
    why.resize(std::min(why.find('\n'), why.size()));  // Then it draws the place.
    refuse(StatusCode::invalid_argument,
           "the JSON is not a " + method.input_type()->full_name() + ": " + why);
  }
  return request;
}

async::Task<> ReflectionClient::call(std::string method, std::string json, Context context,
                                     OnResponse on_response) {
  const MethodDescriptor* const descriptor = co_await find(method, context);
  std::unique_ptr<Message> request = request_of(*descriptor, json);
  const std::unique_ptr<Message> response(messages_.GetPrototype(descriptor->output_type())->New());
  if (!descriptor->server_streaming()) {
    detail::OutgoingCall call = channel_.exchange(method, *request, *response, std::move(context));
    Status status = co_await call;
    if (!status.is_ok()) throw Error(std::move(status));
    on_response(to_json(*response, false));
    co_return;
  }
  const std::unique_ptr<detail::OutgoingStream> stream =
      channel_.exchange_stream(std::move(method), std::move(request), std::move(context));
  while (co_await stream->next(*response)) on_response(to_json(*response, false));
}

}  // namespace rpc
