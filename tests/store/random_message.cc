#include "tests/store/random_message.h"

#include <google/protobuf/descriptor.h>

#include <bit>

namespace pedigree {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Letters only: proto3 strings (in Struct and Any) must be UTF-8.
std::string RandomText(Random& random) {
  std::string text(random.Index(12), ' ');
  for (char& c : text) c = static_cast<char>('a' + random.Index(26));
  return text;
}

// Sets a field, or adds to a repeated one.
void SetRandomly(Random& random, int depth, const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  const auto set = [&](auto setter, auto adder, auto value) {
    if (field->is_repeated()) {
      (reflection->*adder)(message, field, value);
    } else {
      (reflection->*setter)(message, field, value);
    }
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return set(&Reflection::SetInt32, &Reflection::AddInt32, static_cast<int32_t>(random.Bits()));
    case FieldDescriptor::CPPTYPE_INT64:
      return set(&Reflection::SetInt64, &Reflection::AddInt64,
                 static_cast<int64_t>(random.Skewed()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return set(&Reflection::SetUInt32, &Reflection::AddUInt32,
                 static_cast<uint32_t>(random.Bits()));
    case FieldDescriptor::CPPTYPE_UINT64:
      return set(&Reflection::SetUInt64, &Reflection::AddUInt64, random.Skewed());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return set(&Reflection::SetDouble, &Reflection::AddDouble,
                 std::bit_cast<double>(random.Bits()));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return set(&Reflection::SetFloat, &Reflection::AddFloat, 0.5f);
    case FieldDescriptor::CPPTYPE_BOOL:
      return set(&Reflection::SetBool, &Reflection::AddBool, random.OneIn(2));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const EnumDescriptor* type = field->enum_type();
      const auto index = static_cast<int>(random.Index(static_cast<size_t>(type->value_count())));
      return set(&Reflection::SetEnumValue, &Reflection::AddEnumValue,
                 type->value(index)->number());
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return set(&Reflection::SetString, &Reflection::AddString, RandomText(random));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth == 0) return;
      FillRandomly(random, depth - 1,
                   field->is_repeated() ? reflection->AddMessage(message, field)
                                        : reflection->MutableMessage(message, field));
  }
}

}  // namespace

void FillRandomly(Random& random, int depth, Message* message) {
  const auto* descriptor = message->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const int64_t times = field->is_repeated() ? random.Between(0, 3) : random.Between(0, 1);
    for (int64_t n = 0; n < times; ++n) SetRandomly(random, depth, field, message);
  }
}

std::string Damaged(Random& random, std::string bytes) {
  for (int64_t changes = random.Between(1, 3); changes > 0; --changes) {
    const size_t at = random.Index(bytes.size() + 1);
    switch (random.Between(0, 3)) {
      case 0:
        bytes.insert(at, random.Bytes(3));
        break;
      case 1:
        bytes.erase(at, random.Index(4));
        break;
      case 2:
        if (random.OneIn(4)) bytes.resize(at);
        break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Index(8)));
    }
  }
  return bytes;
}

}  // namespace pedigree
