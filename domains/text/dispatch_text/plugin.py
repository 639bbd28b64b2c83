"""What dispatch-text registers: where its models, data sets, tokenizers and metrics are."""

from __future__ import annotations

from dispatch_core.extend import Domain, hookimpl

DISPATCH_CORE_API = 1

_NAMES = {
    "models": {
        "auto": ("load_model",),
        "bert": (
            "BertModel",
            "BertForMaskedLM",
            "BertForSequenceClassification",
            "BertForTokenClassification",
            "BertForQuestionAnswering",
        ),
        "roberta": (
            "RobertaModel",
            "RobertaForMaskedLM",
            "RobertaForSequenceClassification",
            "RobertaForTokenClassification",
            "RobertaForQuestionAnswering",
        ),
        "distilbert": (
            "DistilBertModel",
            "DistilBertForMaskedLM",
            "DistilBertForSequenceClassification",
            "DistilBertForTokenClassification",
            "DistilBertForQuestionAnswering",
        ),
        "gpt2": ("GPT2Model", "GPT2LMHeadModel"),
        "llama": ("LlamaModel", "LlamaForCausalLM"),
        "t5": ("T5Model", "T5EncoderModel", "T5ForConditionalGeneration"),
        "recurrent": ("RecurrentClassifier", "RecurrentSeq2Seq"),
    },
    "datasets": {
        "classification": ("AG_NEWS", "IMDB", "SST2"),
        "squad": ("SQuAD",),
        "conll": ("CoNLL", "CoNLL2000Chunking", "CoNLL2003"),
        "wikitext": ("WikiText2", "WikiText103", "Windows"),
    },
    "tokenizers": {
        "basic": ("WhitespaceTokenizer", "RegexTokenizer", "CharTokenizer", "ByteTokenizer"),
        "hugging_face": ("HuggingFaceTokenizer",),
        "sentence_piece": ("SentencePieceTokenizer",),
    },
    "metrics": {
        "bleu": ("bleu_score",),
        "rouge": ("rouge_score",),
        "errors": ("word_error_rate", "char_error_rate", "edit_distance"),
        "likelihood": ("Perplexity", "perplexity"),
    },
}
_ELSEWHERE = {
    "transforms": {
        "PadCollator": "dispatch_text.collate:PadCollator",
        "BucketBatchSampler": "dispatch_text.collate:BucketBatchSampler",
        "SentenceEncoder": "dispatch_text.sentence:SentenceEncoder",
    },
}


@hookimpl
def dispatch_core_domain(domain: str) -> Domain:
    """The catalogue, without importing any of it."""
    parts = {
        kind: {
            name: f"dispatch_text.{kind}.{file}:{name}" for file in files for name in files[file]
        }
        for kind, files in _NAMES.items()
    }
    return Domain(domain, "Text: language models, tokenizers, data sets.", parts | _ELSEWHERE)
