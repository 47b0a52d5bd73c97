#include "atm/bank_link.h"

#include "ledger/money.h"
#include "ops/failure.h"

namespace atm {

namespace {

rpc::ClientOptions observed(rpc::ClientOptions options, rpc::ConnectionObserver* observer) {
  options.observer = observer;
  // A customer should hear at once that there is no bank.
  options.fail_fast = true;
  return options;
}

BankMemory memory_of(JournalFile& file, Currency currency) {
  const std::vector<BankMemory> found = file.read<BankMemory>();
  BankMemory memory{.currency = currency.text()};
  if (found.empty()) return memory;
  if (found.front().currency != memory.currency) {
    throw ops::Failure(ops::ExitCode::config, "the journal is one of " + found.front().currency +
                                                  ", not of " + memory.currency);
  }
  return found.front();
}

}  // namespace

BankLink::BankLink(async::Loop& loop, const Settings& settings, rpc::ClientOptions options,
                   async::Random& random, Journal& journal, std::vector<std::string> terminals)
    : loop_(loop),
      settings_(settings),
      random_(random),
      journal_(journal),
      memory_(memory_of(journal.file(), settings.currency)),
      changed_(loop),
      history_broke_(loop),
      client_(loop, observed(std::move(options), this), random),
      tasks_(loop) {
  for (std::string& terminal : terminals) standings_.emplace(std::move(terminal), Standing());
  if (memory_.history_broken) history_broke_.set();
}

BankLink::~BankLink() = default;

void BankLink::start() { tasks_.spawn(keep_in_touch()); }

Task<> BankLink::keep_in_touch() {
  while (true) {
    if (client_.is_connected()) {
      for (const auto& [terminal, standing] : standings_) {
        rpc::Context context(loop_.in(settings_.bank_patience));
        co_await refresh(terminal, std::move(context));
      }
    } else {
      client_.connect();
    }
    co_await loop_.sleep_for(settings_.heartbeat);
  }
}

Task<bool> BankLink::refresh(std::string terminal, rpc::Context context) {
  try {
    co_await sign_on(&client_, std::move(terminal), std::move(context));
  } catch (const rpc::Error&) {
    co_return false;
  }
  co_return true;
}

Task<> BankLink::on_connected(rpc::Channel& fresh) {
  for (const auto& [terminal, standing] : standings_) {
    rpc::Context context(loop_.in(settings_.bank_patience));
    co_await sign_on(&fresh, terminal, std::move(context));
  }
}

void BankLink::on_disconnected(const rpc::Status& /*why*/) {
  for (auto& [terminal, standing] : standings_) {
    standing.signed_on = false;
    standing.reason = "the bank does not answer";
  }
  standing_changed();
}

Task<> BankLink::sign_on(rpc::Channel* channel, std::string terminal, rpc::Context context) {
  // Answers overtake each other: only what was seen before this was sent can tell that the history
  // went back.
  const std::uint64_t highest_before = memory_.highest_seq;
  ::bank::v1::SignOnRequest request;
  request.set_terminal_id(terminal);
  request.set_seen_ledger_seq(memory_.seen_seq);
  request.set_seen_chain_head(memory_.seen_head.bytes);
  const ::bank::v1::SignOnResponse response =
      co_await channel->call(bank_methods::sign_on, std::move(request), std::move(context));
  if (response.has_signed_on()) {
    signed_on(terminal, response.signed_on(), highest_before);
  } else {
    refused(terminal, response.refusal());
  }
  standing_changed();
}

void BankLink::signed_on(const std::string& terminal, const ::bank::v1::SignedOn& answer,
                         std::uint64_t highest_before) {
  Standing& standing = standings_.at(terminal);
  standing.signed_on = true;
  standing.in_service = answer.in_service();
  standing.reason = answer.in_service() ? "" : "the bank's operator took it out of service";
  standing.cash = Cents{answer.cash().minor_units()};
  now_ = answer;

  const bool first_ever = memory_.instance_id.bytes.empty();
  const bool other_bank = !first_ever && memory_.instance_id.bytes != answer.instance_id();
  const bool went_back = answer.ledger_seq() < highest_before || !answer.history_agrees();
  if (memory_.history_broken) return;
  if (other_bank || went_back) {
    memory_.history_broken = true;
    note_memory("HISTORY_BROKEN", other_bank ? "another bank answers"
                                             : "the bank's history went back to " +
                                                   std::to_string(answer.ledger_seq()));
    history_broke_.set();
    return;
  }
  if (!first_ever && memory_.seen_seq == answer.ledger_seq()) return;
  memory_.instance_id.bytes = answer.instance_id();
  memory_.seen_seq = answer.ledger_seq();
  memory_.seen_head.bytes = answer.chain_head();
  journal_.remember(memory_);
  saw(answer.ledger_seq());
  if (first_ever) note_memory("FIRST_SIGN_ON", "");
}

void BankLink::refused(const std::string& terminal, const ::bank::v1::Refusal& refusal) {
  Standing& standing = standings_.at(terminal);
  standing.signed_on = false;
  standing.reason = refusal.message();
  if (refusal.code() == ::bank::v1::REFUSAL_CODE_TERMINAL_NOT_FOUND) {
    standing.reason = "the bank does not know terminal " + terminal +
                      "; add it with: bankctl terminal add " + terminal + " --currency " +
                      settings_.currency.text();
  }
}

bool BankLink::is_usable(const std::string& terminal) const {
  if (!client_.is_connected() || !standing(terminal).signed_on) return false;
  return now_ && (memory_.instance_id.bytes == now_->instance_id());
}

Task<> BankLink::usable(std::string terminal) {
  while (!is_usable(terminal)) co_await changed_;
}

void BankLink::standing_changed() {
  changed_.set();
  changed_.clear();
}

void BankLink::saw(std::uint64_t seq) {
  if (memory_.history_broken || seq <= memory_.highest_seq) return;
  memory_.highest_seq = seq;
  journal_.remember(memory_);
}

void BankLink::note_memory(std::string state, std::string detail) {
  Entry entry;
  entry.event = {.at_us = loop_.wall_now().time_since_epoch().count(),
                 .kind = "bank",
                 .state = std::move(state),
                 .detail = std::move(detail)};
  journal_.remember(memory_);
  journal_.note(std::move(entry));
}

Task<bool> BankLink::accept_history(std::string reason) {
  if (!client_.is_connected() || !now_) co_return false;
  memory_.instance_id.bytes = now_->instance_id();
  memory_.seen_seq = now_->ledger_seq();
  memory_.seen_head.bytes = now_->chain_head();
  memory_.highest_seq = now_->ledger_seq();
  memory_.history_broken = false;
  note_memory("HISTORY_ACCEPTED", std::move(reason));
  standing_changed();
  co_await journal_.flush();
  co_return true;
}

}  // namespace atm
