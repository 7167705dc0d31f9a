<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for what the model, its migrations and the import use of OPNsense: fields that
 * have a value and know whether they were changed, messages with their place, config.xml.
 */

// Several small classes in one file, as the names that they stand for have it.
// phpcs:disable PSR1.Classes.ClassDeclaration,PSR2.Classes.PropertyDeclaration,PSR1.Files.SideEffects

namespace OPNsense\Base\Messages {
    class Message
    {
        private $text;
        private $field;

        public function __construct($text, $field)
        {
            $this->text = $text;
            $this->field = $field;
        }

        public function getMessage()
        {
            return $this->text;
        }

        public function getField()
        {
            return $this->field;
        }
    }

    class Messages implements \IteratorAggregate
    {
        public $all = [];

        public function getIterator(): \Iterator
        {
            foreach ($this->all as $field => $text) {
                yield new Message($text, $field);
            }
        }

        public function appendMessage($message)
        {
            $this->all[$message->getField()] = $message->getMessage();
        }
    }
}

namespace OPNsense\Base {
    class Field
    {
        private $value = '';
        private $children = [];
        private $item; /* of an array: its items' definition */
        private $number;
        public $__reference = '';

        public function __construct($value = '', array $children = [], $reference = '', $item = null, $number = null)
        {
            $this->value = $value;
            $this->children = $children;
            $this->__reference = $reference;
            $this->item = $item;
            $this->number = $number;
        }

        public function __get($name)
        {
            return $this->children[$name] ?? new Field();
        }

        public function __set($name, $value)
        {
            $this->children[$name]->value = (string)$value;
        }

        public function __toString()
        {
            return $this->value;
        }

        public function iterateItems()
        {
            return $this->children;
        }

        public function child($name)
        {
            return $this->children[$name] ?? null;
        }

        public function add()
        {
            $number = count($this->children);
            $at = $this->__reference . '.' . $number;
            return $this->children[] = BaseModel::read($this->item, null, $at, $number);
        }

        public function getAttributes()
        {
            return ['uuid' => $this->__reference];
        }

        public function isFieldChanged()
        {
            return true;
        }
    }

    /* The tree of fields, of config.xml's values or those given, with the defaults that Tollgate.xml has. */
    abstract class BaseModel
    {
        private $tree;

        public function __construct(array $values = [])
        {
            $beside = dirname((new \ReflectionClass($this))->getFileName());
            $model = simplexml_load_file($beside . '/Tollgate.xml');
            $stored = \OPNsense\Core\Config::getInstance()->object()->OPNsense->tollgate ?? null;
            $this->tree = self::read($model->items, $values ?: $stored, '');
        }

        public static function read($node, $values, $path, $number = null)
        {
            $children = [];
            foreach ($node->children() as $name => $child) {
                $at = ltrim($path . '.' . $name, '.');
                $type = (string)$child['type'];
                $has = is_array($values) ? ($values[$name] ?? null) : ($values ? $values->$name : null);
                if (is_object($has) && $has->count() === 0 && $has->getName() === '') {
                    $has = null;
                }
                if ($type == 'ArrayField') {
                    $items = [];
                    foreach ($has ?? [] as $item) {
                        $items[] = self::read($child, $item, $at . '.' . count($items), count($items));
                    }
                    $children[$name] = new Field('', $items, $at, $child);
                } elseif ($type == '') {
                    $children[$name] = self::read($child, $has, $at);
                } else {
                    $children[$name] = new Field((string)($has ?? $child->Default), [], $at);
                }
            }
            return new Field('', $children, $path, null, $number);
        }

        public function __get($name)
        {
            return $this->tree->$name;
        }

        public function getNodeByReference($reference)
        {
            $node = $this->tree;
            foreach (explode('.', $reference) as $name) {
                $node = $node ? $node->child($name) : null;
            }
            return $node;
        }

        public function setNodeByReference($reference, $value)
        {
            $parts = explode('.', $reference);
            $last = array_pop($parts);
            $node = $this->getNodeByReference(implode('.', $parts));
            if (!$node || !$node->child($last)) {
                return false;
            }
            $node->$last = $value;
            return true;
        }

        public function performValidation($validateFullModel = false)
        {
            return new Messages\Messages();
        }
    }

    /* Core's own fills in the defaults of new fields, as reading the model does here. */
    class BaseModelMigration
    {
        public function run($model)
        {
        }
    }
}

namespace OPNsense\Core {
    class Config
    {
        public static $xml = '<opnsense/>';

        public static function getInstance()
        {
            return new self();
        }

        public function object()
        {
            return simplexml_load_string(self::$xml);
        }
    }
}

namespace {
    if (!function_exists('gettext')) {
        function gettext($text)
        {
            return $text;
        }
    }
}
