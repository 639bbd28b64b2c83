"""Models: transformers that read Hugging Face folders, recurrent classifiers and translators."""

from dispatch_text.models.auto import (
    load_model,
)
from dispatch_text.models.bert import (
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)
from dispatch_text.models.config import (
    Config,
)
from dispatch_text.models.distilbert import (
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForQuestionAnswering,
    DistilBertForSequenceClassification,
    DistilBertForTokenClassification,
    DistilBertModel,
)
from dispatch_text.models.gpt2 import (
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
)
from dispatch_text.models.llama import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaModel,
)
from dispatch_text.models.pretrained import (
    PretrainedModel,
)
from dispatch_text.models.recurrent import (
    RecurrentClassifier,
    RecurrentClassifierConfig,
    RecurrentSeq2Seq,
    RecurrentSeq2SeqConfig,
)
from dispatch_text.models.roberta import (
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
)
from dispatch_text.models.t5 import (
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
    T5Model,
)

__all__ = [
    "BertConfig",
    "BertForMaskedLM",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertModel",
    "Config",
    "DistilBertConfig",
    "DistilBertForMaskedLM",
    "DistilBertForQuestionAnswering",
    "DistilBertForSequenceClassification",
    "DistilBertForTokenClassification",
    "DistilBertModel",
    "GPT2Config",
    "GPT2LMHeadModel",
    "GPT2Model",
    "LlamaConfig",
    "LlamaForCausalLM",
    "LlamaModel",
    "PretrainedModel",
    "RecurrentClassifier",
    "RecurrentClassifierConfig",
    "RecurrentSeq2Seq",
    "RecurrentSeq2SeqConfig",
    "RobertaConfig",
    "RobertaForMaskedLM",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
    "RobertaModel",
    "T5Config",
    "T5EncoderModel",
    "T5ForConditionalGeneration",
    "T5Model",
    "load_model",
]
