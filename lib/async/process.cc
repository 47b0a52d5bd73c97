#include "async/process.h"

#include <array>
#include <csignal>
#include <utility>

#include "async/uv_socket.h"
#include "async/waiting_place.h"

namespace async {

namespace {

// libuv's handle, which tells the Process, if there still is one, how the child ended. It lives
// until the child has been waited for, so that no child is left as a zombie.
struct ProcessHandle {
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&uv); }

  void close() {
    uv_close(handle(),
             [](uv_handle_t* closed) { delete static_cast<ProcessHandle*>(closed->data); });
  }

  uv_process_t uv{};
  WaitingPlace* waiter = nullptr;  // Null: nobody asks any more.
  std::optional<ExitStatus> status;
};

// execve's arrays want pointers that may be written through, and end with a null pointer.
std::vector<char*> pointers_into(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

class Process::Impl {
 public:
  Impl(UvLoop::Impl& loop, const ProcessOptions& options)
      : loop_(loop), process_(std::make_unique<ProcessHandle>()), waiter_(loop.owner) {
    check(!options.command.empty(), "a process has a command");
    std::array<std::optional<SocketOwner>, 3> pipes;
    std::array<uv_stdio_container_t, 3> standard{};
    const std::array<bool, 3> piped{options.pipe_input, options.pipe_output, options.pipe_errors};
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      standard[i].flags = UV_INHERIT_FD;
      standard[i].data.fd = static_cast<int>(i);
      if (!piped[i]) continue;
      pipes[i].emplace(loop, Endpoint::Kind::unix_socket);
      // From the child's side: it reads its input and writes the others.
      const int direction = i == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE;
      standard[i].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | direction);
      standard[i].data.stream = (*pipes[i])->stream();
    }
    spawn(options, standard);
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      if (pipes[i]) streams_[i].emplace(make_stream(std::move(*pipes[i])));
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    --loop_.open_handles;
    process_->waiter = nullptr;
    ProcessHandle* const process = process_.release();
    if (process->status) {
      process->close();
    } else {
      uv_process_kill(&process->uv, SIGKILL);  // It closes itself when the child has ended.
    }
  }

  int pid() const noexcept { return process_->uv.pid; }
  Stream& stream(std::size_t number) {
    check(streams_[number].has_value(), "this stream of the process was piped");
    return *streams_[number];
  }
  void signal(int number) noexcept {
    if (!process_->status) uv_process_kill(&process_->uv, number);
  }
  Task<ExitStatus> wait() {
    while (!process_->status) {
      const bool is_there = co_await waiter_;
      if (!is_there) throw IoError(UV_ECANCELED, "wait for a process");
    }
    co_return *process_->status;
  }

 private:
  void spawn(const ProcessOptions& options, std::array<uv_stdio_container_t, 3>& standard) {
    std::vector<std::string> command = options.command;
    std::vector<std::string> environment = options.environment.value_or(std::vector<std::string>());
    std::vector<char*> arguments = pointers_into(command);
    std::vector<char*> variables = pointers_into(environment);
    uv_process_options_t wanted{};
    wanted.file = command.front().c_str();
    wanted.args = arguments.data();
    wanted.env = options.environment ? variables.data() : nullptr;
    wanted.cwd = options.directory.empty() ? nullptr : options.directory.c_str();
    wanted.stdio = standard.data();
    wanted.stdio_count = static_cast<int>(standard.size());
    wanted.exit_cb = [](uv_process_t* process, std::int64_t code, int signal) {
      ProcessHandle& ended = *static_cast<ProcessHandle*>(process->data);
      ended.status = ExitStatus{.code = static_cast<int>(code), .signal = signal};
      if (ended.waiter == nullptr) return ended.close();
      ended.waiter->wake();
    };
    process_->uv.data = process_.get();
    process_->waiter = &waiter_;
    const int result = uv_spawn(&loop_.uv, &process_->uv, &wanted);
    if (result < 0) {
      process_.release()->close();  // libuv wants it closed even now.
      throw IoError(result, "start " + options.command.front());
    }
    ++loop_.open_handles;
  }

  UvLoop::Impl& loop_;
  std::unique_ptr<ProcessHandle> process_;
  std::array<std::optional<Stream>, 3> streams_;
  WaitingPlace waiter_;
};

Process::Process(UvLoop& loop, const ProcessOptions& options)
    : impl_(std::make_unique<Impl>(loop.impl(), options)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

int Process::pid() const noexcept { return impl_->pid(); }
Stream& Process::input() { return impl_->stream(0); }
Stream& Process::output() { return impl_->stream(1); }
Stream& Process::errors() { return impl_->stream(2); }
void Process::terminate() noexcept { signal(SIGTERM); }
void Process::kill() noexcept { signal(SIGKILL); }
void Process::signal(int number) noexcept { impl_->signal(number); }
Task<ExitStatus> Process::wait() { return impl_->wait(); }

}  // namespace async
