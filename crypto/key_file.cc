// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/check.h"
#include "crypto/boringssl.h"

namespace godwit {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

enum class Purpose : uint8_t { kToken, kTicket, kReset };

constexpr std::array<std::string_view, 3> kPurposeNames = {"token-key", "ticket-key", "reset-key"};
constexpr size_t kHexDigits = 2 * SecretKey::kSize;
constexpr std::string_view kHeading =
    "# Keys of a godwit server. Whoever reads this file can forge its tokens and tickets.\n";

std::string_view NameOf(Purpose purpose) { return kPurposeNames[static_cast<size_t>(purpose)]; }

std::optional<Purpose> PurposeNamed(std::string_view name) {
  for (const Purpose purpose : {Purpose::kToken, Purpose::kTicket, Purpose::kReset}) {
    if (name == NameOf(purpose)) return purpose;
  }
  return std::nullopt;
}

size_t MaxCount(Purpose purpose) { return purpose == Purpose::kReset ? 1 : kMaxKeysPerPurpose; }

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

constexpr std::string_view kSpaces = " \t\r";

// Takes the next word off `line`; empty if there is none.
std::string_view TakeWord(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(kSpaces), line.size());
  const size_t end = std::min(line.find_first_of(kSpaces, begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

// Takes the next line off `text`, without its end and its comment.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line.substr(0, line.find('#'));
}

// The value of a hexadecimal digit; 16 if it is none.
uint8_t ValueOfDigit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<uint8_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<uint8_t>(digit - 'A' + 10);
  return 16;
}

std::optional<SecretKey> ParseHex(std::string_view hex) {
  if (hex.size() != kHexDigits) return std::nullopt;
  std::array<uint8_t, SecretKey::kSize> bytes;
  uint8_t highest = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const uint8_t high = ValueOfDigit(hex[2 * i]);
    const uint8_t low = ValueOfDigit(hex[2 * i + 1]);
    highest = std::max({highest, high, low});
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  std::optional<SecretKey> key;
  if (highest < 16) key.emplace(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

// A key that somebody typed to fill the line: random bytes are never all the same.
bool IsOneByteRepeated(const SecretKey& key) {
  return std::ranges::all_of(key.bytes(), [&](uint8_t byte) { return byte == key.bytes()[0]; });
}

bool HaveSameBytes(const SecretKey& a, const SecretKey& b) {
  return CRYPTO_memcmp(a.bytes().data(), b.bytes().data(), SecretKey::kSize) == 0;
}

// The keys that were read so far, and where.
class KeyCollector {
 public:
  KeyCollector() {
    // Growing would leave copies behind; they wipe themselves, but this is no more work.
    for (auto& keys : keys_) keys.reserve(kMaxKeysPerPurpose);
  }

  // `line` has no end and no comment.
  absl::Status AddLine(std::string_view line, size_t line_number) {
    const std::string_view name = TakeWord(line);
    if (name.empty()) return absl::OkStatus();
    const std::optional<Purpose> purpose = PurposeNamed(name);
    if (!purpose.has_value()) {
      return ErrorAt(line_number,
                     "it starts with none of token-key, ticket-key and reset-key; correct the "
                     "first word, or put a # before it if it is a comment");
    }
    const std::optional<SecretKey> key = ParseHex(TakeWord(line));
    if (!key.has_value()) {
      return ErrorAt(line_number, "the key is not ", kHexDigits,
                     " hexadecimal digits; copy it whole, or make a new one with: "
                     "openssl rand -hex ",
                     SecretKey::kSize);
    }
    if (!TakeWord(line).empty()) {
      return ErrorAt(line_number,
                     "something follows the key; put it on a line of its own, or a # before it");
    }
    return AddKey(*purpose, *key, line_number);
  }

  absl::StatusOr<ServerSecrets> Finish() && {
    for (const Purpose purpose : {Purpose::kToken, Purpose::kTicket, Purpose::kReset}) {
      if (!KeysOf(purpose).empty()) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "key file: there is no ", ToAbsl(NameOf(purpose)),
          "; add a line: ", ToAbsl(NameOf(purpose)), " <", kHexDigits, " hexadecimal digits>"));
    }
    return ServerSecrets{.reset_key = KeysOf(Purpose::kReset).front(),
                         .token_keys = std::move(KeysOf(Purpose::kToken)),
                         .ticket_keys = std::move(KeysOf(Purpose::kTicket))};
  }

 private:
  absl::Status AddKey(Purpose purpose, const SecretKey& key, size_t line_number) {
    if (IsOneByteRepeated(key)) {
      return ErrorAt(line_number,
                     "the key is one byte repeated, which anybody can guess; make a random one "
                     "with: openssl rand -hex ",
                     SecretKey::kSize);
    }
    for (const auto& keys : keys_) {
      if (std::ranges::any_of(keys, [&](const SecretKey& k) { return HaveSameBytes(k, key); })) {
        return ErrorAt(line_number,
                       "this key is there twice; delete this line, or make a new key with: "
                       "openssl rand -hex ",
                       SecretKey::kSize);
      }
    }
    if (KeysOf(purpose).size() == MaxCount(purpose)) {
      return ErrorAt(line_number, "there are more than ", MaxCount(purpose), " ",
                     ToAbsl(NameOf(purpose)), " lines; delete the oldest");
    }
    KeysOf(purpose).push_back(key);
    return absl::OkStatus();
  }

  template <typename... Parts>
  static absl::Status ErrorAt(size_t line_number, const Parts&... parts) {
    return absl::InvalidArgumentError(absl::StrCat("key file, line ", line_number, ": ", parts...));
  }

  std::vector<SecretKey>& KeysOf(Purpose purpose) { return keys_[static_cast<size_t>(purpose)]; }

  std::array<std::vector<SecretKey>, kPurposeNames.size()> keys_;
};

// Writes to the front of a span that is known to be long enough.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> out) : rest_(out) {}

  void Write(std::string_view text) {
    std::copy(text.begin(), text.end(), rest_.begin());
    rest_ = rest_.subspan(text.size());
  }
  void WriteKeys(Purpose purpose, std::span<const SecretKey> keys) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const SecretKey& key : keys) {
      Write(NameOf(purpose));
      Write(" ");
      for (const uint8_t byte : key.bytes()) {
        Write(kDigits.substr(byte >> 4, 1));
        Write(kDigits.substr(byte & 15, 1));
      }
      Write("\n");
    }
  }

  bool is_full() const { return rest_.empty(); }

 private:
  std::span<char> rest_;
};

size_t FormattedSize(Purpose purpose, size_t count) {
  return count * (NameOf(purpose).size() + 1 + kHexDigits + 1);
}

}  // namespace

ServerSecrets GenerateServerSecrets(Random& random) {
  return {.reset_key = SecretKey::Generate(random),
          .token_keys = {SecretKey::Generate(random)},
          .ticket_keys = {SecretKey::Generate(random)}};
}

absl::StatusOr<ServerSecrets> ParseServerSecrets(std::string_view text) {
  if (text.size() > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat("key file: it has ", text.size(),
                                                   " bytes, more than ", kMaxKeyFileBytes,
                                                   "; is it the right file?"));
  }
  KeyCollector collector;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const absl::Status status = collector.AddLine(TakeLine(text), line_number);
    if (!status.ok()) return status;
  }
  return std::move(collector).Finish();
}

SecretText FormatServerSecrets(const ServerSecrets& secrets) {
  SecretText text(kHeading.size() + FormattedSize(Purpose::kToken, secrets.token_keys.size()) +
                  FormattedSize(Purpose::kTicket, secrets.ticket_keys.size()) +
                  FormattedSize(Purpose::kReset, 1));
  TextWriter writer(text.chars());
  writer.Write(kHeading);
  writer.WriteKeys(Purpose::kToken, secrets.token_keys);
  writer.WriteKeys(Purpose::kTicket, secrets.ticket_keys);
  writer.WriteKeys(Purpose::kReset, {&secrets.reset_key, 1});
  GODWIT_CHECK(writer.is_full());
  return text;
}

absl::StatusOr<ServerSecrets> ReadServerSecretsFile(const std::string& path) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open \"", path, "\""));
  }
  std::setbuf(file.get(), nullptr);  // stdio's buffer would keep a copy of a key.
  SecretText text(kMaxKeyFileBytes + 1);
  const size_t size = std::fread(text.chars().data(), 1, text.chars().size(), file.get());
  if (std::ferror(file.get()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read \"", path, "\""));
  }
  if (size > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" has more than ", kMaxKeyFileBytes, " bytes: no key file"));
  }
  absl::StatusOr<ServerSecrets> secrets = ParseServerSecrets(text.view().substr(0, size));
  if (secrets.ok()) return secrets;
  return absl::Status(secrets.status().code(),
                      absl::StrCat("\"", path, "\": ", secrets.status().message()));
}

}  // namespace godwit
